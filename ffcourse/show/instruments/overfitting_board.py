"""Capacity, data, noise and regularisation: what makes a model overfit, and what helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ffcourse.show.instruments.common import Array, whole_ticks_x
from ffcourse.show.layers import Dots, Layer, Line, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Log, Range

_MOST = 15


def _truth(x: Any) -> Any:
    return np.sin(3 * x)


def overfitting_board(
    truth: Callable[[Any], Any] = _truth, *, noise: float = 0.3, seed: int = 0
) -> LiveFigure:
    """Fit polynomials to noisy points, and compare the error on these with that on fresh ones.

    The polynomial has the Legendre form, so that its coefficients are of like size; `penalty` is
    the weight of the sum of their squares, the constant left out.

    Parameters
    ----------
    truth : callable
        What the points come from, on -1 to 1.
    noise : float
        Standard deviation of the noise to start with.
    seed : int
        Of points and noise.
    """
    fresh_x, fresh_noise = _draw(400, seed + 1)
    axis = np.linspace(-1, 1, 200)
    all_x, all_noise = _draw(100, seed)
    degrees = np.arange(1, _MOST + 1)

    def board(degree: int, points: int, noise: float, penalty: float) -> list[Layer]:
        x, y = all_x[:points], truth(all_x[:points]) + noise * all_noise[:points]
        fresh_y = truth(fresh_x) + noise * fresh_noise
        fits = [fit(x, y, int(d), penalty) for d in degrees]
        seen = np.array([_mse(c, x, y) for c in fits])
        unseen = np.array([_mse(c, fresh_x, fresh_y) for c in fits])
        curve = np.polynomial.legendre.legval(axis, fits[degree - 1])
        return [
            Line(axis, curve, "prediction", 2.6, label="model", name="model"),
            Dots(x, y, role="data", size=5.5, name="points"),
            Line(
                degrees,
                np.clip(seen, *limits),
                "train",
                2,
                panel=1,
                label="training",
                name="training",
            ),
            Line(
                degrees,
                np.clip(unseen, *limits),
                "validation",
                2,
                True,
                panel=1,
                label="fresh data",
                name="fresh",
            ),
            _now(degree, seen[degree - 1], "train"),
            _now(degree, unseen[degree - 1], "validation"),
            Text(
                0.03,
                0.06,
                f"error {seen[degree - 1]:.3f} on the training points, "
                f"{unseen[degree - 1]:.3f} on fresh ones",
                size=9,
                fraction=True,
                halo=True,
                name="errors",
            ),
        ]

    limits = (1e-3, 30.0)
    still = Line(axis, truth(axis), "ink", 1.4, dashed=True, label="truth")
    return live(
        board,
        background=[
            Panel((-1, 1), (-2.2, 2.2), "x", "y", layers=[still], width=1.2),
            Panel(
                (0.5, _MOST + 0.5),
                limits,
                "degree (capacity)",
                "mean squared error",
                yscale="log",
                draw=whole_ticks_x,
            ),
        ],
        alt="A polynomial fitted to noisy points, and its error against its degree.",
        degree=Range(1, _MOST, 1, 9),
        points=Range(5, 100, 1, 15),
        noise=Range(0.0, 1.0, 0.05, noise),
        penalty=Log(1e-6, 10.0, 1e-6),
    )


def fit(x: Array, y: Array, degree: int, penalty: float) -> Array:
    """Return the Legendre coefficients, shape (degree + 1,), of the penalised least squares fit."""
    A = np.polynomial.legendre.legvander(x, degree)
    shrink = np.sqrt(penalty) * np.eye(degree + 1)
    shrink[0, 0] = 0.0
    both = np.concatenate([A, shrink]), np.concatenate([y, np.zeros(degree + 1)])
    coefficients: Array = np.linalg.lstsq(*both, rcond=None)[0]
    return coefficients


def _draw(count: int, seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, count), rng.standard_normal(count)


def _mse(coefficients: Array, x: Array, y: Array) -> float:
    error = np.polynomial.legendre.legval(x, coefficients) - y
    return float(np.mean(error**2))


def _now(degree: int, error: float, role: str) -> Layer:
    y = float(np.clip(error, 1e-3, 30.0))
    return Dots([degree], [y], role=role, size=8, panel=1, name=f"{role} now")
