"""Augmentation of images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import data


def spot(row, column):
    image = np.zeros((1, 8, 8))
    image[0, row, column] = 16
    return image


def test_nothing_asked_nothing_changed():
    X = data.load_digits().X[:20]
    np.testing.assert_allclose(data.augment(X, 0, shift=0, rotate=0), X, atol=1e-5)


@pytest.mark.parametrize("shape", [(12, 64), (12, 8, 8), (12, 1, 8, 8)])
def test_shapes_types_and_determinism(shape):
    X = data.load_digits().X[:12].reshape(shape)
    before = X.copy()
    first = data.augment(X, np.random.default_rng(1), noise=1.0)
    assert first.shape == shape
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, data.augment(X, 1, noise=1.0))
    assert not np.array_equal(first, data.augment(X, 2, noise=1.0))
    np.testing.assert_array_equal(X, before)
    assert data.augment(X.astype(int), 0).dtype == np.float32
    assert data.augment(X.astype(np.float64), 0).dtype == np.float64


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_shift_moves_a_spot_whole(seed):
    moved = data.augment(spot(4, 4), seed, shift=2, rotate=0)
    row, column = np.argwhere(moved[0] > 0)[0]
    assert moved.max() == pytest.approx(16)
    assert (moved > 0).sum() == 1
    assert abs(row - 4) <= 2
    assert abs(column - 4) <= 2


def test_all_shifts_occur_and_outside_is_paper():
    X = np.repeat(spot(0, 0), 300, axis=0)
    moved = data.augment(X, 0, shift=1, rotate=0)
    places = {tuple(np.argwhere(image)[0]) for image in moved if image.any()}
    assert places == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert any(not image.any() for image in moved)


def test_rotation_turns_about_the_centre():
    X = np.zeros((1, 7, 7))
    X[0, 3, :] = 1.0
    turned = np.stack([data.augment(X, seed, shift=0, rotate=60)[0] for seed in range(20)])
    np.testing.assert_allclose(turned[:, 3, 3], 1, atol=1e-9)
    assert np.ptp(turned[:, 0, :].sum(axis=1)) > 0.1


def test_mass_is_roughly_kept_by_small_rotations():
    X = data.load_digits(images=True).X
    changed = data.augment(X, 0, shift=0, rotate=15)
    inner = X[:, :, 1:-1, 1:-1].sum() / X.sum()
    assert inner > 0.7
    assert abs(changed.sum() / X.sum() - 1) < 0.06
    assert changed.min() >= 0
    assert changed.max() <= 16 + 1e-4


def test_noise_stays_in_the_range_of_the_pixels():
    X = data.load_digits().X[:50]
    noisy = data.augment(X, 0, shift=0, rotate=0, noise=5)
    assert noisy.min() >= 0
    assert noisy.max() <= 16
    assert np.abs(noisy - X).mean() > 1


def test_channels_move_together():
    X = np.random.default_rng(0).normal(size=(5, 1, 6, 9))
    both = data.augment(np.concatenate([X, 2 * X], axis=1), 3, shift=2, rotate=20)
    np.testing.assert_allclose(both[:, 1], 2 * both[:, 0], atol=1e-12)


def test_errors():
    with pytest.raises(ValueError, match=r"A single image needs a first axis"):
        data.augment(np.zeros((8, 8)), 0)
    with pytest.raises(ValueError, match="images is empty"):
        data.augment(np.zeros((0, 64)), 0)
    with pytest.raises(ValueError, match="shift must be under the image size"):
        data.augment(np.zeros((1, 64)), 0, shift=8)
    with pytest.raises(ValueError, match="rotate must be a number of at least 0"):
        data.augment(np.zeros((1, 64)), 0, rotate=-1)
    with pytest.raises(ValueError, match="noise must be"):
        data.augment(np.zeros((1, 64)), 0, noise=-1)


@pytest.mark.parametrize("kind", [object, complex, str])
def test_images_hold_numbers(kind: type) -> None:
    with pytest.raises(TypeError, match="images must hold numbers, but the dtype is"):
        data.augment(np.ones((2, 8, 8)).astype(kind), 0)
