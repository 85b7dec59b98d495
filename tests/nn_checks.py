"""Checks that every layer must pass: used by all test_nn_*.py.

``check_module`` runs all of them. The single ones serve where a layer is unusual.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ffcourse.nn import Module
from ffcourse.nn.losses import Loss

STEP = 1e-5
TOLERANCE = 1e-6


def numeric_gradient(f: Callable[[], float], x: np.ndarray) -> np.ndarray:
    """Measure d f / d x by moving each number of `x` to both sides; `x` is restored."""
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        old = x[place]
        x[place] = old + STEP
        above = f()
        x[place] = old - STEP
        below = f()
        x[place] = old
        gradient[place] = (above - below) / (2 * STEP)
    return gradient


def assert_gradient(f: Callable[[], float], x: np.ndarray, analytic: Any, name: str) -> None:
    """`analytic` must be d f / d x within a relative error of 1e-6, norm-wise."""
    assert analytic is not None, f"{name}: no gradient arrived"
    assert x.dtype == np.float64, f"{name}: gradients are checked in float64"
    assert analytic.shape == x.shape, f"{name}: gradient {analytic.shape} for {x.shape}"
    numeric = numeric_gradient(f, x)
    size = np.linalg.norm(numeric) + np.linalg.norm(analytic)
    if size < 1e-7:  # both are zero up to rounding
        return
    error = np.linalg.norm(numeric - analytic) / size
    assert error < TOLERANCE, f"{name}: relative error {error:.2e}\n{numeric}\n{analytic}"


def check_gradients(
    module: Module,
    x: np.ndarray,
    rng: np.random.Generator,
    *,
    reset: Callable[[], None] = lambda: None,
    input_gradient: bool = True,
) -> None:
    """Check d loss / d input and d loss / d parameter for a random upstream gradient.

    `reset` runs before every forward pass, to draw the same random mask again.
    """

    def forward() -> np.ndarray:
        reset()
        return module(x)

    upstream = rng.normal(size=forward().shape)
    module.zero_grad()
    dx = module.backward(upstream)

    def loss() -> float:
        return float((forward() * upstream).sum())

    gradients = {name: p.grad for name, p in module.named_parameters()}
    for name, p in module.named_parameters():
        if p.requires_grad:
            assert_gradient(loss, p.data, gradients[name], f"{type(module).__name__}.{name}")
        else:
            assert gradients[name] is None, f"{name} is frozen and has a gradient"
    if input_gradient:
        assert dx.shape == x.shape
        assert_gradient(loss, x, dx, f"{type(module).__name__}: input")


def check_inputs_untouched(module: Module, x: np.ndarray, rng: np.random.Generator) -> None:
    """Forward and backward must write into nothing that was handed to them."""
    x = x.copy()
    x.flags.writeable = False  # writing raises
    y = module(x)
    upstream = rng.normal(size=y.shape).astype(y.dtype)
    upstream.flags.writeable = False
    weights = [p.data.copy() for p in module.parameters()]
    module.backward(upstream)
    for p, old in zip(module.parameters(), weights, strict=True):
        np.testing.assert_array_equal(p.data, old)


def check_accumulates(
    module: Module,
    x: np.ndarray,
    rng: np.random.Generator,
    reset: Callable[[], None] = lambda: None,
) -> None:
    """Backward twice gives twice the gradient; ``backward_params`` the same as ``backward``."""

    def forward() -> np.ndarray:
        reset()
        return module(x)

    upstream = rng.normal(size=forward().shape).astype(x.dtype if x.dtype.kind == "f" else None)
    gradients = []
    for steps in (1, 2):
        module.zero_grad()
        for _ in range(steps):
            forward()
            module.backward(upstream)
        gradients.append({n: p.grad for n, p in module.named_parameters()})
    module.zero_grad()
    forward()
    module.backward_params(upstream)
    for name, p in module.named_parameters():
        once, twice = gradients[0][name], gradients[1][name]
        if once is None:
            assert twice is None
            assert p.grad is None
            continue
        np.testing.assert_allclose(twice, 2 * once, rtol=1e-5, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(p.grad, once, rtol=1e-5, atol=1e-12, err_msg=name)


def check_eval_is_deterministic(module: Module, x: np.ndarray) -> None:
    """In evaluation, the same input gives the same output, and nothing that is saved changes."""
    module = copy.deepcopy(module).eval()
    before = module.state_dict()
    np.testing.assert_array_equal(module(x), module(x))
    for name, value in module.state_dict().items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


def check_state_round_trip(module: Module, x: np.ndarray) -> None:
    """Save, change, load: all as before."""
    module = copy.deepcopy(module).eval()
    saved, y = module.state_dict(), module(x)
    twin = copy.deepcopy(module)
    for p in twin.parameters():
        p.data += 1
    twin.load_state_dict(saved)
    np.testing.assert_array_equal(twin(x), y)
    assert list(twin.state_dict()) == list(saved)


def check_manners(module: Module) -> None:
    """A useful repr, and unknown attributes raise."""
    assert repr(module).startswith(type(module).__name__)
    for part in module.modules():
        assert not hasattr(part, "__dict__"), f"{type(part).__name__} lacks __slots__"


def check_module(
    module: Module,
    x: np.ndarray,
    rng: np.random.Generator,
    *,
    reset: Callable[[], None] = lambda: None,
    input_gradient: bool = True,
) -> None:
    """Run all checks on a float64 module, with an input `x` away from kinks."""
    check_gradients(module, x, rng, reset=reset, input_gradient=input_gradient)
    check_inputs_untouched(module, x, rng)
    check_accumulates(module, x, rng, reset)
    check_eval_is_deterministic(module, x)
    check_state_round_trip(module, x)
    check_manners(module)


def check_loss(loss_fn: Loss, logits: np.ndarray, target: np.ndarray, *more: np.ndarray) -> None:
    """Check the gradient of a loss, that it is a float, and that nothing is written into."""
    frozen = [a.copy() for a in (logits, target, *more)]
    for a in frozen:
        a.flags.writeable = False
    value = loss_fn(*frozen)
    assert type(value) is float
    gradient = loss_fn.backward()
    np.testing.assert_array_equal(gradient, loss_fn.backward())  # nothing was used up
    assert_gradient(
        lambda: loss_fn(logits, target, *more), logits, gradient, type(loss_fn).__name__
    )


def away_from_kink(x: np.ndarray, distance: float = 0.05) -> np.ndarray:
    """Move values that lie near zero away from it, so that differences don't straddle it."""
    return np.where(np.abs(x) < distance, x + np.copysign(2 * distance, x), x)


# -- parity -----------------------------------------------------------------------------------

PARITY = {"float64": 1e-9, "float32": 1e-4}


def assert_parity(actual: Any, expected: Any, dtype: str, name: str) -> None:
    """`actual` must equal the reference norm-wise: 1e-9 in float64, 1e-4 in float32."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{name}: {actual.shape}, PyTorch has {expected.shape}"
    size = np.linalg.norm(expected.astype(np.float64).ravel())
    distance = np.linalg.norm((actual.astype(np.float64) - expected).ravel())
    limit = PARITY[dtype] * (size or 1.0)
    assert distance <= limit, f"{name}: off by {distance / (size or 1.0):.2e} of PyTorch's"


def check_module_parity(module: Module, reference: dict[str, np.ndarray], dtype: str) -> None:
    """Load the reference's weights; outputs and all gradients must equal PyTorch's.

    `reference` holds ``x``, ``grad`` (upstream), ``y``, ``dx``, and for each parameter (under our
    name, in our layout) ``p.NAME`` and ``dp.NAME``; for buffers ``b.NAME`` as they are before and
    ``b2.NAME`` as they are after the forward pass.
    """
    state = {k[2:]: v for k, v in reference.items() if k.startswith(("p.", "b."))}
    module.to(dtype).load_state_dict(state)
    y = module(reference["x"])
    assert y.dtype == np.dtype(dtype)
    assert_parity(y, reference["y"], dtype, "output")
    module.zero_grad()
    dx = module.backward(reference["grad"])
    if "dx" in reference:
        assert_parity(dx, reference["dx"], dtype, "input gradient")
    for name, p in module.named_parameters():
        assert p.grad is not None, name
        assert p.grad.dtype == np.dtype(dtype), name
        assert_parity(p.grad, reference[f"dp.{name}"], dtype, f"gradient of {name}")
    for name, value in module.named_buffers():
        assert_parity(value, reference[f"b2.{name}"], dtype, name)
