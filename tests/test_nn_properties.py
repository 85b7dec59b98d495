"""What holds for every layer, whatever the batch: examples do not meet, nothing is written into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import nn
from tests.nn_checks import (
    away_from_kink,
    check_accumulates,
    check_eval_is_deterministic,
    check_gradients,
    check_inputs_untouched,
    check_state_round_trip,
)

ROWS, SEQUENCES, IMAGES, TOKENS = (6,), (5, 6), (2, 5, 6), (4,)
Make = Callable[[np.random.Generator], nn.Module]

# How a layer is made, and the shape of one example.
LAYERS: dict[str, tuple[Make, tuple[int, ...]]] = {
    "Identity": (lambda r: nn.Identity(), ROWS),
    "Sigmoid": (lambda r: nn.Sigmoid(), ROWS),
    "Tanh": (lambda r: nn.Tanh(), ROWS),
    "ReLU": (lambda r: nn.ReLU(), ROWS),
    "LeakyReLU": (lambda r: nn.LeakyReLU(), ROWS),
    "GELU": (lambda r: nn.GELU(), ROWS),
    "GELU tanh": (lambda r: nn.GELU("tanh"), ROWS),
    "SiLU": (lambda r: nn.SiLU(), ROWS),
    "Softmax": (lambda r: nn.Softmax(), ROWS),
    "LogSoftmax": (lambda r: nn.LogSoftmax(), ROWS),
    "Linear": (lambda r: nn.Linear(6, 3, rng=r), ROWS),
    "Linear on sequences": (lambda r: nn.Linear(6, 3, rng=r), SEQUENCES),
    "LoRALinear": (lambda r: nn.LoRALinear(nn.Linear(6, 3, rng=r), r=2, rng=r), ROWS),
    "LayerNorm": (lambda r: nn.LayerNorm(6), SEQUENCES),
    "RMSNorm": (lambda r: nn.RMSNorm(6), SEQUENCES),
    "Dropout at rest": (lambda r: nn.Dropout(0.5, rng=r).eval(), ROWS),
    "BatchNorm1d at rest": (lambda r: nn.BatchNorm1d(6).eval(), ROWS),
    "Conv2d": (lambda r: nn.Conv2d(2, 3, 3, stride=2, padding=1, rng=r), IMAGES),
    "MaxPool2d": (lambda r: nn.MaxPool2d(2), IMAGES),
    "AvgPool2d": (lambda r: nn.AvgPool2d(2), IMAGES),
    "Flatten": (lambda r: nn.Flatten(), IMAGES),
    "RNN": (lambda r: nn.RNN(6, 4, return_state=False, rng=r), SEQUENCES),
    "LSTM": (lambda r: nn.LSTM(6, 4, return_state=False, rng=r), SEQUENCES),
    "GRU": (lambda r: nn.GRU(6, 4, return_state=False, rng=r), SEQUENCES),
    "LastStep": (lambda r: nn.LastStep(), SEQUENCES),
    "Embedding": (lambda r: nn.Embedding(7, 6, rng=r), TOKENS),
    "attention": (lambda r: nn.MultiHeadSelfAttention(6, 2, rng=r), SEQUENCES),
    "FeedForward": (lambda r: nn.FeedForward(6, rng=r), SEQUENCES),
    "SwiGLU": (lambda r: nn.FeedForward(6, activation="swiglu", rng=r), SEQUENCES),
    "Residual": (lambda r: nn.Residual(nn.Linear(6, 6, rng=r)), ROWS),
    "pre-norm block": (lambda r: nn.TransformerBlock(6, 2, rng=r), SEQUENCES),
    "post-norm block": (lambda r: nn.TransformerBlock(6, 2, norm_first=False, rng=r), SEQUENCES),
    "GPT": (lambda r: nn.GPT(7, 4, 6, 2, 1, rng=r), TOKENS),
}
everywhere = pytest.mark.parametrize("name", LAYERS)
batches = given(n=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))


def draw(name: str, n: int, seed: int) -> tuple[nn.Module, Any, np.random.Generator]:
    """Make a layer in float64 and a batch of `n` examples for it."""
    rng = np.random.default_rng(seed)
    make, shape = LAYERS[name]
    if shape == TOKENS:
        return make(rng).to(np.float64), rng.integers(0, 7, (n, *shape)), rng
    return make(rng).to(np.float64), rng.normal(size=(n, *shape)), rng


@everywhere
@settings(deadline=None, max_examples=15)
@batches
def test_examples_do_not_meet(name: str, n: int, seed: int) -> None:
    """Each gets alone what it gets in company; gradients of parameters add up over the batch."""
    layer, x, rng = draw(name, n, seed)
    y = layer(x)
    upstream = rng.normal(size=y.shape)
    dx = layer.backward(upstream)
    together = {key: p.grad for key, p in layer.named_parameters()}
    layer.zero_grad()
    for i in range(n):
        one = slice(i, i + 1)
        np.testing.assert_allclose(layer(x[one]), y[one], rtol=1e-9, atol=1e-12)
        dx_one = layer.backward(upstream[one])
        if LAYERS[name][1] != TOKENS:
            np.testing.assert_allclose(dx_one, dx[one], rtol=1e-9, atol=1e-12)
    for key, p in layer.named_parameters():
        if p.requires_grad:
            np.testing.assert_allclose(p.grad, together[key], rtol=1e-8, atol=1e-12, err_msg=key)


@everywhere
@settings(deadline=None, max_examples=5)
@batches
def test_manners_hold_for_any_batch(name: str, n: int, seed: int) -> None:
    """Inputs are left alone, gradients add up, evaluation repeats itself, saving loses nothing."""
    layer, x, rng = draw(name, n, seed)
    check_inputs_untouched(layer, x, rng)
    check_accumulates(layer, x, rng)
    check_eval_is_deterministic(layer, x)
    check_state_round_trip(layer, x)


def pruned(rng: np.random.Generator) -> nn.Module:
    """A layer that has lost about half of its weights."""
    linear = nn.Linear(6, 3, rng=rng, dtype=np.float64)
    return nn.PrunedLinear(linear, rng.random((6, 3)) < 0.5)


# What is not in the list above, since its examples meet or its weights are no floats.
MORE: dict[str, tuple[Make, tuple[int, ...]]] = {
    "PrunedLinear": (pruned, ROWS),
    "QuantizedLinear": (lambda r: nn.QuantizedLinear(nn.Linear(6, 3, rng=r)), ROWS),
    "SwiGLU alone": (lambda r: nn.SwiGLU(), SEQUENCES),
    "BatchNorm1d": (lambda r: nn.BatchNorm1d(6), (6, 3)),
    "BatchNorm2d": (lambda r: nn.BatchNorm2d(2), IMAGES),
    "learned positions": (lambda r: nn.LearnedPositions(7, 6, rng=r), SEQUENCES),
    "sinusoidal positions": (lambda r: nn.SinusoidalPositions(7, 6), SEQUENCES),
    "TiedHead": (lambda r: nn.TiedHead(nn.Parameter(r.normal(size=(5, 6)))), SEQUENCES),
    "overlapping MaxPool2d": (lambda r: nn.MaxPool2d(3, stride=2), IMAGES),
    "overlapping AvgPool2d": (lambda r: nn.AvgPool2d((3, 2), stride=1), IMAGES),
}


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", LAYERS | MORE)
def test_every_layer_has_the_right_gradient_for_one_example_and_for_three(
    name: str, n: int
) -> None:
    rng = np.random.default_rng(n)
    make, shape = (LAYERS | MORE)[name]
    layer = make(rng).to(np.float64)
    if shape == TOKENS:
        check_gradients(layer, rng.integers(0, 7, (n, *shape)), rng, input_gradient=False)
        return
    x = rng.permutation(np.linspace(-2, 2, n * int(np.prod(shape)))).reshape(n, *shape)
    check_gradients(layer, away_from_kink(x), rng)  # no two values are equal: pooling has kinks


def test_no_layer_was_forgotten() -> None:
    """Each public layer is checked above, alone or inside another one."""
    rng = np.random.default_rng(0)
    made = [make(rng) for make, _ in (LAYERS | MORE).values()]
    checked = {type(part) for layer in made for part in layer.modules()}
    public = {value for value in vars(nn).values() if isinstance(value, type)}
    layers = {kind for kind in public if issubclass(kind, nn.Module)}
    assert layers - checked == {nn.Module, nn.Step, nn.Sequential}  # a step has no slope
