"""How gradients and activations shrink or grow through the layers of a deep network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ffcourse.nn import Linear, Module, ReLU, Sigmoid, Tanh
from ffcourse.show.instruments.common import Array
from ffcourse.show.layers import Bars, Layer, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Choice, Range, Switch

_FLOOR, _CEILING = 1e-10, 1e10

_SCALES: dict[str, Callable[[int], float]] = {
    "small (0.01)": lambda n: 0.01,
    "Xavier": lambda n: (1 / n) ** 0.5,
    "He": lambda n: (2 / n) ** 0.5,
    "large (1)": lambda n: 1.0,
}
"""Standard deviation of the first weights of a square layer with n inputs."""


def gradient_flow(
    *,
    activations: Mapping[str, type[Module]] | None = None,
    width: int = 32,
    most: int = 20,
    batch: int = 64,
    seed: int = 0,
) -> LiveFigure:
    """Show the size of the gradient and the spread of the activations, layer by layer.

    A network of square layers gets random inputs; a random gradient of size one comes back from
    its output. What would train it is the gradient that arrives at each layer's weights.

    Parameters
    ----------
    activations : mapping of str to Module class, optional
        Sigmoid, Tanh and ReLU if None.
    width : int
        Units of each layer.
    most : int
        Largest depth.
    batch : int
        Number of inputs.
    seed : int
        Of inputs, weights and gradient.
    """
    kinds = activations or {"sigmoid": Sigmoid, "tanh": Tanh, "ReLU": ReLU}

    def flow(depth: int, activation: str, initial: str, shortcuts: bool) -> list[Layer]:
        scale = _SCALES[initial](width)
        grads, spreads = run(kinds[activation], depth, width, scale, shortcuts, batch, seed)
        x = np.arange(1, depth + 1)
        ratio = grads[0] / grads[-1]
        return [
            Bars(x, _within(grads), "gradient", base=_FLOOR, name="gradients"),
            Bars(x, _within(spreads), "prediction", base=_FLOOR, panel=1, name="activations"),
            Text(0.0, 1.05, f"first / last layer: {ratio:.2g}", fraction=True, name="ratio"),
        ]

    limits = (0.3, most + 0.7), (_FLOOR, _CEILING)
    return live(
        flow,
        background=[
            Panel(*limits, "layer", "gradient of weights (rms)", " ", yscale="log", grid=True),
            Panel(*limits, "layer", "activation (std)", " ", yscale="log", grid=True),
        ],
        alt="Size of gradients and activations in each layer of a deep network.",
        depth=Range(2, most, 1, most // 2),
        activation=Choice(*kinds),
        initial=Choice(*_SCALES, label="first weights"),
        shortcuts=Switch(False),
    )


def run(
    kind: type[Module],
    depth: int,
    width: int,
    scale: float,
    shortcuts: bool,
    batch: int,
    seed: int,
) -> tuple[Array, Array]:
    """Return the gradient sizes (depth,) and the activation spreads (depth,)."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((batch, width))
    layers, spreads = [], []
    for _ in range(depth):
        linear, act = Linear(width, width, rng=rng, dtype=np.float64), kind()
        linear.weight.data[:] = rng.normal(0, scale, (width, width))
        linear.bias.data[:] = 0  # type: ignore[union-attr]
        x = act(linear(x)) + (x if shortcuts else 0)
        layers.append((linear, act))
        spreads.append(float(x.std()))
    grad = rng.standard_normal((batch, width)) / batch
    sizes = []
    for linear, act in reversed(layers):
        back = linear.backward(act.backward(grad))
        grad = back + (grad if shortcuts else 0)
        sizes.append(float(np.sqrt(np.mean(linear.weight.grad**2))))  # type: ignore[operator]
    return np.array(sizes[::-1]) + 1e-300, np.array(spreads)


def _within(values: Array) -> Any:
    return np.clip(values, _FLOOR, _CEILING)
