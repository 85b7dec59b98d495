"""Toy sets and synthetic ratings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import data

TOYS = [
    data.make_blobs,
    data.make_moons,
    data.make_circles,
    data.make_spirals,
    data.make_xor,
]


@pytest.mark.parametrize("make", TOYS)
@given(n=st.integers(4, 120), noise=st.floats(0, 2), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_shape_balance_and_determinism(make, n, noise, seed):
    X, y = make(n, noise, np.random.default_rng(seed))
    assert X.shape == (n, 2)
    assert X.dtype == np.float32
    assert y.dtype == np.int64
    assert np.isfinite(X).all()
    # XOR deals its corners out in turn, two of them to a class.
    assert np.ptp(np.bincount(y)) <= (2 if make is data.make_xor else 1)
    again, labels = make(n, noise, rng=seed)
    np.testing.assert_array_equal(X, again)
    np.testing.assert_array_equal(y, labels)


@pytest.mark.parametrize("make", TOYS)
def test_without_seed_each_call_differs(make):
    assert not np.array_equal(make(20, 0.5).X, make(20, 0.5).X)


@pytest.mark.parametrize("make", TOYS)
def test_the_global_generator_is_left_alone(make):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    make(20, 0.5)
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("make", TOYS)
def test_bad_arguments(make):
    with pytest.raises(ValueError, match="n must be at least"):
        make(0)
    with pytest.raises(TypeError, match="n must be a whole number"):
        make(10.5)
    with pytest.raises(ValueError, match="noise must be a number of at least 0"):
        make(10, noise=-0.1)
    with pytest.raises(ValueError, match="noise"):
        make(10, noise=float("nan"))
    with pytest.raises(TypeError, match="rng must be a NumPy Generator"):
        make(10, rng="0")
    with pytest.raises(TypeError, match="rng must be a NumPy Generator"):
        make(10, rng=True)


def test_xor_without_noise_is_the_truth_table():
    X, y = data.make_xor(4, noise=0, rng=0)
    table = {tuple(x): label for x, label in zip(X.tolist(), y.tolist(), strict=True)}
    assert table == {(-1, -1): 0, (1, 1): 0, (1, -1): 1, (-1, 1): 1}


def test_circles_have_their_radii():
    X, y = data.make_circles(50, noise=0, rng=0, inner=0.25)
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), np.where(y == 0, 1, 0.25), rtol=1e-6)
    with pytest.raises(ValueError, match="inner must be a radius between 0 and 1"):
        data.make_circles(50, inner=1.5)


def test_moons_lie_on_two_half_circles():
    X, y = data.make_moons(60, noise=0, rng=0)
    upper, lower = X[y == 0], X[y == 1]
    np.testing.assert_allclose(np.linalg.norm(upper, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(lower - [1, 0.5], axis=1), 1, rtol=1e-6)
    assert (upper[:, 1] >= 0).all()
    assert (lower[:, 1] <= 0.5).all()


def test_blobs_and_spirals_take_any_number_of_classes():
    assert set(data.make_blobs(50, classes=5, rng=0).y) == set(range(5))
    spirals = data.make_spirals(50, classes=4, rng=0)
    assert set(spirals.y) == set(range(4))
    assert np.linalg.norm(spirals.X, axis=1).max() <= 1
    with pytest.raises(ValueError, match="classes must be at least 2"):
        data.make_blobs(10, classes=1)


def test_spirals_without_noise_keep_their_order_around_the_origin():
    X, y = data.make_spirals(200, noise=0, rng=0, classes=2, turns=1)
    radius = np.linalg.norm(X, axis=1)
    angle = np.arctan2(X[:, 1], X[:, 0]) - 2 * np.pi * radius
    np.testing.assert_allclose(np.cos(angle), np.where(y == 0, 1, -1), atol=1e-4)


def test_toy_card_says_not_real():
    assert "not real data" in repr(data.make_moons(10, rng=0))


def test_ratings_are_low_rank_plus_noise():
    exact = data.make_ratings(30, 20, rank=2, observed=0.999, noise=0, rng=0)
    table = np.full((30, 20), np.nan)
    table[tuple(exact.X.T)] = exact.y
    full = ~np.isnan(table).any(axis=0)
    assert np.linalg.matrix_rank(table[:, full] - 3, tol=1e-4) == 2
    assert "synthetic" in repr(exact).lower()


@given(users=st.integers(1, 30), items=st.integers(1, 30), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_ratings_cover_everybody_once(users, items, seed):
    X, y = data.make_ratings(users, items, rank=1, observed=0.1, rng=seed)
    assert set(X[:, 0]) == set(range(users))
    assert set(X[:, 1]) == set(range(items))
    assert len(np.unique(X, axis=0)) == len(X) == len(y)


def test_ratings_noise_is_the_floor():
    exact = data.make_ratings(100, 80, noise=0, rng=3)
    noisy = data.make_ratings(100, 80, noise=0.4, rng=3)
    np.testing.assert_array_equal(exact.X, noisy.X)
    assert np.std(noisy.y - exact.y) == pytest.approx(0.4, rel=0.1)


def test_ratings_bad_arguments():
    with pytest.raises(ValueError, match="rank must be at most 5"):
        data.make_ratings(5, 9, rank=6)
    with pytest.raises(ValueError, match="observed must be a fraction"):
        data.make_ratings(observed=1.5)


@pytest.mark.parametrize("inner", [0, 1, "a", None, float("nan")])
def test_the_inner_ring_has_a_radius(inner: object) -> None:
    with pytest.raises(ValueError, match="inner must be a radius between 0 and 1, but got"):
        data.make_circles(inner=inner)  # type: ignore[arg-type]
