"""Toy sets in the plane: small problems whose answer can be seen."""

from __future__ import annotations

import numpy as np

from ffcourse.data.card import DataCard, Dataset
from ffcourse.data.check import Array, Rng, as_rng, not_negative, whole


def make_blobs(
    n: int = 200, noise: float = 1.0, rng: Rng = None, *, classes: int = 2, spread: float = 3.0
) -> Dataset:
    """Make round clouds whose centres stand on a circle around the origin.

    Parameters
    ----------
    n : int
        Points in all, at least one for each class; class sizes differ by at most one.
    noise : float
        Standard deviation of each cloud.
    rng : Generator, int or None
        Where the randomness comes from.
    classes : int
        Number of clouds, at least 2.
    spread : float
        Distance of the centres from the origin.

    Returns
    -------
    Dataset
        ``X`` (n, 2) float32, ``y`` (n,) int64.
    """
    rng, y = _start(n, rng, classes=classes)
    angle = 2 * np.pi * y / classes
    centres = not_negative(spread, "spread") * np.column_stack([np.cos(angle), np.sin(angle)])
    return _finish("Blobs", centres, y, noise, rng)


def make_moons(n: int = 200, noise: float = 0.1, rng: Rng = None) -> Dataset:
    """Make two half circles that reach into each other: no straight line parts them.

    Parameters
    ----------
    n, rng
        As in ``make_blobs``, and the same result.
    noise : float
        Standard deviation of the distance from the curve in each direction.
    """
    rng, y = _start(n, rng)
    angle = rng.uniform(0, np.pi, n)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    return _finish("Moons", np.where(y[:, None] == 0, upper, lower), y, noise, rng)


def make_circles(
    n: int = 200, noise: float = 0.1, rng: Rng = None, *, inner: float = 0.5
) -> Dataset:
    """Make a ring (class 0, radius 1) around a smaller ring (class 1, radius `inner`).

    Parameters
    ----------
    n, rng
        As in ``make_blobs``, and the same result.
    noise : float
        Standard deviation of the distance from the curve in each direction.
    inner : float
        Radius of the smaller ring, between 0 and 1.
    """
    if not isinstance(inner, int | float | np.number) or not 0 < inner < 1:
        raise ValueError(f"inner must be a radius between 0 and 1, but got {inner!r}.")
    rng, y = _start(n, rng)
    angle = rng.uniform(0, 2 * np.pi, n)
    radius = np.where(y == 0, 1.0, inner)
    ring = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return _finish("Circles", ring, y, noise, rng)


def make_spirals(
    n: int = 300, noise: float = 0.1, rng: Rng = None, *, classes: int = 3, turns: float = 0.75
) -> Dataset:
    """Make arms that wind around the origin, one a class, out to radius 1.

    Parameters
    ----------
    n, rng, classes
        As in ``make_blobs``.
    noise : float
        Standard deviation of the angle, in radians, at the outer end; it falls to zero towards
        the origin, so that arms blur as far as they are apart.
    turns : float
        How often an arm winds around the origin.
    """
    rng, y = _start(n, rng, classes=classes)
    radius = rng.uniform(0.05, 1, n)
    wobble = rng.normal(0, 1, n) * not_negative(noise, "noise") * radius
    angle = 2 * np.pi * (y / classes + not_negative(turns, "turns") * radius) + wobble
    arms = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return _finish("Spirals", arms, y, 0.0, rng)


def make_xor(n: int = 200, noise: float = 0.1, rng: Rng = None) -> Dataset:
    """Make the four corners (±1, ±1): class 1 where the signs differ, class 0 where they agree.

    Parameters
    ----------
    n : int
        Points in all. With ``n=4, noise=0`` these are the four corners, once each.
    noise : float
        Standard deviation around each corner.
    rng : Generator, int or None
        Where the randomness comes from.
    """
    rng, corner = _start(n, rng, classes=4, least=4)
    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return _finish("XOR", corners[corner], corner % 2, noise, rng)


def _start(
    n: int, rng: Rng, *, classes: int = 2, least: int | None = None
) -> tuple[np.random.Generator, Array]:
    whole(classes, "classes", at_least=2)
    whole(n, "n", at_least=least or classes)
    generator = as_rng(rng)
    return generator, generator.permutation(np.arange(n) % classes)


def _finish(title: str, points: Array, y: Array, noise: float, rng: np.random.Generator) -> Dataset:
    X = points + not_negative(noise, "noise") * rng.normal(size=points.shape)
    classes = int(y.max()) + 1
    card = DataCard(
        title=f"{title} (toy set)",
        source="drawn by ffcourse.data from a random generator; not real data",
        authors="ffcourse",
        year="",
        licence="CC0",
        size=f"{len(y)} points in the plane, {classes} classes",
    )
    names = tuple(f"class {k}" for k in range(classes))
    return Dataset(X.astype(np.float32), y.astype(np.int64), ("x1", "x2"), names, card)
