"""Splits, batches and standardisation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import data

seeds = st.integers(0, 2**32 - 1)


def rows(n):
    """Rows whose first entry is their number, so that they can be followed."""
    return np.column_stack([np.arange(n), np.arange(n) * 10.0])


@given(n=st.integers(2, 200), test=st.floats(0.05, 0.95), seed=seeds)
@settings(max_examples=60, deadline=None)
def test_parts_are_disjoint_and_complete(n, test, seed):
    X, y = rows(n), np.arange(n) / 7
    size = int(np.floor(n * test + 0.5))
    if size in (0, n):
        with pytest.raises(ValueError, match="part empty"):
            data.train_test_split(X, y, test, rng=seed)
        return
    X_train, X_test, y_train, y_test = data.train_test_split(X, y, test, rng=seed)
    assert len(X_test) == size
    train, held = set(X_train[:, 0]), set(X_test[:, 0])
    assert not train & held
    assert train | held == set(range(n))
    # X and y stay together.
    np.testing.assert_array_equal(X_train[:, 0] / 7, y_train)
    np.testing.assert_array_equal(X_test[:, 0] / 7, y_test)


@given(
    counts=st.lists(st.integers(2, 60), min_size=1, max_size=6),
    test=st.floats(0.1, 0.9),
    seed=seeds,
)
@settings(max_examples=100, deadline=None)
def test_stratified_shares(counts, test, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    n, classes = len(y), len(counts)
    size = int(np.floor(n * test + 0.5))
    if size < classes or n - size < classes:
        with pytest.raises(ValueError, match=r"no room for|part empty"):
            data.train_test_split(rows(n), y, test, rng=seed)
        return
    X_train, X_test, y_train, y_test = data.train_test_split(rows(n), y, test, rng=seed)
    assert len(y_test) == size
    in_test = np.bincount(y_test, minlength=classes)
    in_train = np.bincount(y_train, minlength=classes)
    np.testing.assert_array_equal(in_test + in_train, counts)
    assert in_test.min() >= 1
    assert in_train.min() >= 1
    if (np.array(counts) * test >= 1).all() and (np.array(counts) * (1 - test) >= 1).all():
        assert (np.abs(in_test - np.array(counts) * test) < 1 + classes / 2).all()
    np.testing.assert_array_equal(y[X_test[:, 0].astype(int)], y_test)
    np.testing.assert_array_equal(y[X_train[:, 0].astype(int)], y_train)


def test_stratified_share_of_real_classes():
    X, y = data.load_breast_cancer()
    _, _, y_train, y_test = data.train_test_split(X, y, 0.2, rng=0)
    assert len(y_test) == 114
    assert abs(y_test.mean() - y.mean()) < 0.005
    assert abs(y_train.mean() - y.mean()) < 0.005


def test_same_seed_same_split_and_input_unchanged():
    X, y = data.load_digits()
    X0, y0 = X.copy(), y.copy()
    first = data.train_test_split(X, y, rng=np.random.default_rng(4))
    second = data.train_test_split(X, y, rng=4)
    other = data.train_test_split(X, y, rng=5)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[1], other[1])
    np.testing.assert_array_equal(X, X0)
    np.testing.assert_array_equal(y, y0)
    first[0][:] = -1
    np.testing.assert_array_equal(X, X0)


def test_parts_are_shuffled_not_sorted_by_class():
    y = np.repeat([0, 1], 50)
    _, _, y_train, y_test = data.train_test_split(rows(100), y, 0.4, rng=0)
    assert 0 < y_train[:20].mean() < 1
    assert 0 < y_test[:20].mean() < 1


def test_string_labels_and_images_are_fine():
    y = np.array(["a", "b"] * 10)
    X_train, X_test, _, y_test = data.train_test_split(np.zeros((20, 1, 4, 4)), y, rng=0)
    assert X_train.shape == (16, 1, 4, 4)
    assert X_test.shape == (4, 1, 4, 4)
    assert sorted(y_test) == ["a", "a", "b", "b"]


@given(n=st.integers(30, 150), seed=seeds)
@settings(max_examples=30, deadline=None)
def test_three_parts(n, seed):
    y = np.arange(n) % 3
    X_train, X_val, X_test, y_train, y_val, y_test = data.train_val_test_split(
        rows(n), y, val=0.25, test=0.25, rng=seed
    )
    parts = [set(part[:, 0]) for part in (X_train, X_val, X_test)]
    assert sum(map(len, parts)) == n
    assert set.union(*parts) == set(range(n))
    assert abs(len(X_val) - n / 4) <= 1
    assert abs(len(X_test) - n / 4) <= 1
    for X, labels in ((X_train, y_train), (X_val, y_val), (X_test, y_test)):
        np.testing.assert_array_equal(X[:, 0] % 3, labels)
        assert set(labels) == {0, 1, 2}


def test_split_errors():
    X, y = rows(10), np.arange(10) % 2
    split = data.train_test_split
    with pytest.raises(ValueError, match="X has 10 rows and y has 9"):
        split(X, y[:9], rng=0)
    with pytest.raises(ValueError, match="X is empty"):
        split(X[:0], y[:0], rng=0)
    for bad in (0, 1, -0.1, 1.2, 5, float("nan")):
        with pytest.raises(ValueError, match="test must be a fraction between 0 and 1"):
            split(X, y, bad, rng=0)
    with pytest.raises(TypeError, match="test must be a fraction"):
        split(X, y, "0.2", rng=0)
    with pytest.raises(TypeError, match="rng"):
        split(X, y)
    with pytest.raises(TypeError, match="a split that differs at every run"):
        split(X, y, rng=None)
    with pytest.raises(ValueError, match="Class 7 has a single member"):
        split(X, np.array([0] * 9 + [7]), rng=0)
    with pytest.raises(ValueError, match="stratify=True needs one class label per row"):
        split(X, y / 2, rng=0, stratify=True)
    with pytest.raises(ValueError, match="no room for 5 classes"):
        split(X, np.arange(10) % 5, 0.2, rng=0)
    with pytest.raises(ValueError, match=r"val \+ test must be under 1"):
        data.train_val_test_split(X, y, 0.5, 0.5, rng=0)
    assert len(split(X, np.array([0] * 9 + [7]), rng=0, stratify=False)[1]) == 2


def test_chronological_split_keeps_the_order_of_time():
    X, y = rows(10), np.arange(10)
    X_train, X_test, y_train, y_test = data.chronological_split(X, y, 0.3, gap=2)
    np.testing.assert_array_equal(y_train, np.arange(5))
    np.testing.assert_array_equal(y_test, [7, 8, 9])
    np.testing.assert_array_equal(X_train[:, 0], y_train)
    np.testing.assert_array_equal(X_test[:, 0], y_test)
    with pytest.raises(ValueError, match="gap=7 leaves no training rows"):
        data.chronological_split(X, y, 0.3, gap=7)
    X_train[:] = -1
    assert X.min() == 0


@given(T=st.integers(1, 40), width=st.integers(1, 10), horizon=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_windows(T, width, horizon):
    series = np.arange(T) * 2.0
    if width + horizon > T:
        with pytest.raises(ValueError, match="need a series of at least"):
            data.windows(series, width, horizon=horizon)
        return
    X, y = data.windows(series, width, horizon=horizon)
    assert X.shape == (T - width - horizon + 1, width)
    for i in range(len(X)):
        np.testing.assert_array_equal(X[i], series[i : i + width])
        assert y[i] == series[i + width + horizon - 1]
    X[:] = -1
    assert series[0] == 0


def test_sunspot_baselines_of_the_card():
    X, y = data.windows(data.load_sunspots(dtype=np.float64).y, 11)
    X_train, X_test, y_train, y_test = data.chronological_split(X, y)
    design = np.column_stack([X_train, np.ones(len(X_train))])
    weights = np.linalg.lstsq(design, y_train, rcond=None)[0]
    linear = X_test @ weights[:-1] + weights[-1]
    assert len(y_test) == 60
    assert np.sqrt(np.mean((X_test[:, -1] - y_test) ** 2)) == pytest.approx(32.9, abs=0.05)
    assert np.sqrt(np.mean((linear - y_test) ** 2)) == pytest.approx(19.3, abs=0.05)


def test_windows_of_several_columns():
    X, y = data.windows(rows(6), 2)
    assert X.shape == (4, 2, 2)
    assert y.shape == (4, 2)


@given(
    n=st.integers(1, 60),
    size=st.integers(1, 70),
    seed=st.none() | seeds,
    drop_last=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_batches_cover_every_row_once(n, size, seed, drop_last):
    X, y = rows(n), np.arange(n)
    if drop_last and size > n:
        with pytest.raises(ValueError, match="drop_last=True leaves no batch"):
            data.batches(X, y, size, seed, drop_last)
        return
    parts = list(data.batches(X, y, size, seed, drop_last))
    seen = np.concatenate([labels for _, labels in parts])
    assert len(set(seen)) == len(seen) == (n - n % size if drop_last else n)
    assert all(len(labels) == size for _, labels in parts[:-1])
    for inputs, labels in parts:
        np.testing.assert_array_equal(inputs[:, 0], labels)
    if seed is None:
        np.testing.assert_array_equal(seen, np.arange(len(seen)))
    loader = data.DataLoader(X, y, size, shuffle=seed is not None, rng=seed, drop_last=drop_last)
    assert len(loader) == len(parts) == len(list(loader))


def test_each_epoch_has_a_new_order():
    X, y = rows(50), np.arange(50)
    rng = np.random.default_rng(0)
    orders = [np.concatenate([b for _, b in data.batches(X, y, 8, rng)]) for _ in range(2)]
    assert not np.array_equal(*orders)
    loader = data.DataLoader(X, y, 8, rng=0)
    epochs = [np.concatenate([b for _, b in loader]) for _ in range(2)]
    np.testing.assert_array_equal(epochs, orders)
    assert repr(loader) == "DataLoader(7 batches of 8, shuffled, N=50)"


def test_batches_errors_come_at_the_call():
    with pytest.raises(ValueError, match="X has 3 rows and y has 2"):
        data.batches(rows(3), np.zeros(2))
    with pytest.raises(ValueError, match="X is empty"):
        data.batches([], [])
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        data.batches(rows(3), np.zeros(3), 0)
    with pytest.raises(TypeError, match="batch_size must be a whole number"):
        data.DataLoader(rows(3), np.zeros(3), 1.5)
    with pytest.raises(ValueError, match="leaves no batch"):
        data.DataLoader(rows(3), np.zeros(3), 4, drop_last=True)


@given(n=st.integers(1, 40), d=st.integers(1, 5), seed=seeds)
@settings(max_examples=50, deadline=None)
def test_standardizer_there_and_back(n, d, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(rng.normal(0, 50, d), 10, (n, d))
    other = rng.normal(0, 100, (7, d))
    before = X.copy()
    scaler = data.Standardizer().fit(X)
    scaled = scaler.transform(X)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-9)
    if n > 1:
        np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-9)
    np.testing.assert_allclose(scaler.inverse_transform(scaled), X, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        scaler.inverse_transform(scaler.transform(other)), other, rtol=1e-9, atol=1e-9
    )
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(data.Standardizer().fit_transform(X), scaled)


def test_standardizer_constant_columns_are_only_shifted():
    X = np.full((30, 2), 0.1)
    X[:, 1] = np.arange(30)
    scaled = data.Standardizer().fit(X).transform(X)
    np.testing.assert_allclose(scaled[:, 0], 0, atol=1e-12)
    np.testing.assert_allclose(scaled[:, 1].std(), 1)
    digits = data.load_digits().X
    assert np.isfinite(data.Standardizer().fit_transform(digits)).all()


def test_standardizer_matches_scikit_learn():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X = data.load_breast_cancer(dtype=np.float64).X
    ours = data.Standardizer().fit(X[:400]).transform(X[400:])
    theirs = preprocessing.StandardScaler().fit(X[:400]).transform(X[400:])
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


def test_standardizer_types_and_errors():
    X = data.load_breast_cancer().X
    scaler = data.Standardizer()
    assert repr(scaler) == "Standardizer(not fitted)"
    with pytest.raises(RuntimeError, match=r"call fit\(X_train\)"):
        scaler.transform(X)
    assert scaler.fit(X).transform(X).dtype == np.float32
    assert scaler.fit([[1, 2], [3, 4]]).transform([[1, 2]]).dtype == np.float64
    with pytest.raises(ValueError, match=r"rows of shape \(2,\).*shape \(1, 3\)"):
        scaler.transform([[1, 2, 3]])
    with pytest.raises(ValueError, match="NaN or infinite"):
        scaler.fit([[1.0, np.nan]])
    with pytest.raises(TypeError, match="X must hold numbers"):
        scaler.fit([["a"]])
    with pytest.raises(ValueError, match="X is empty"):
        scaler.fit(np.zeros((0, 3)))


def test_a_seed_is_not_negative() -> None:
    with pytest.raises(ValueError, match=r"rng must be a seed of at least 0, .* but got -1"):
        data.DataLoader(np.eye(3), np.arange(3), rng=-1)
    assert len(data.DataLoader(np.eye(3), np.arange(3), rng=0)) == 1


@pytest.mark.parametrize("y", [np.array([None] * 10), np.array(["a", 1] * 5, object)])
def test_labels_of_mixed_types_are_told(y: np.ndarray) -> None:
    with pytest.raises(TypeError, match=r"y must hold numbers or strings, .* stratify=False"):
        data.train_test_split(np.eye(10), y, rng=0)
    assert len(data.train_test_split(np.eye(10), y, rng=0, stratify=False)[1]) == 2
    with pytest.raises(ValueError, match="stratify=True needs one class label per row"):
        data.train_test_split(np.eye(10), y, rng=0, stratify=True)


@pytest.mark.parametrize("y", [np.array(["a", "b"] * 5), np.array([True, False] * 5)])
def test_strings_and_booleans_are_labels(y: np.ndarray) -> None:
    test = data.train_test_split(np.eye(10), y, rng=0)[3]
    assert len(set(test.tolist())) == 2


@pytest.mark.parametrize("kind", [object, complex, str])
def test_only_real_numbers_are_standardised(kind: type) -> None:
    numbers = np.arange(6.0).reshape(3, 2)
    with pytest.raises(TypeError, match="X must hold numbers, but its dtype is"):
        data.Standardizer().fit(numbers.astype(kind))
    scaler = data.Standardizer().fit(numbers)
    for method in (scaler.transform, scaler.inverse_transform):
        with pytest.raises(TypeError, match="X must hold numbers, but its dtype is"):
            method(numbers.astype(kind))
