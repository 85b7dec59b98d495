"""Convolution, pooling, flatten."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import nn
from tests.nn_checks import assert_gradient, check_module, check_module_parity
from tests.torch_reference import cases_seq, registry

F64 = np.float64


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def conv(*args: Any, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(*args, **{"rng": generator(1), "dtype": F64, **options})


def slow_convolution(layer: nn.Conv2d, x: np.ndarray) -> np.ndarray:
    """Add up every product of the definition, one by one."""
    (ph, pw), (sh, sw), (kh, kw) = layer.padding, layer.stride, layer.kernel_size
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    OH, OW = (x.shape[2] - kh) // sh + 1, (x.shape[3] - kw) // sw + 1
    y = np.zeros((len(x), len(layer.weight.data), OH, OW))
    for n, o, i, j in np.ndindex(y.shape):
        patch = x[n, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
        y[n, o, i, j] = (patch * layer.weight.data[o]).sum()
    return y if layer.bias is None else y + layer.bias.data[:, None, None]


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"kernel_size": 3}, (2, 2, 4, 5)),
        ({"kernel_size": 3, "padding": 1}, (1, 2, 3, 3)),
        ({"kernel_size": 2, "stride": 2}, (3, 2, 5, 4)),
        ({"kernel_size": (3, 2), "stride": (2, 3), "padding": (1, 2)}, (2, 2, 4, 5)),
        ({"kernel_size": 1}, (1, 2, 1, 1)),
        ({"kernel_size": (1, 5), "bias": False, "padding": (0, 2)}, (2, 2, 2, 3)),
    ],
)
def test_conv(arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    layer, rng = conv(2, 3, **arguments), generator(2)
    x = rng.normal(size=shape)
    np.testing.assert_allclose(layer(x), slow_convolution(layer, x), rtol=1e-12)
    check_module(layer, x, rng)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("name", cases_seq.CONVS)
def test_conv_parity(name: str, dtype: str) -> None:
    args, options, _ = cases_seq.CONVS[name]
    check_module_parity(nn.Conv2d(*args, **options), registry.reference("seq", name, dtype), dtype)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("name", cases_seq.POOLS)
def test_pool_parity(name: str, dtype: str) -> None:
    kind, args, options, _ = cases_seq.POOLS[name]
    layer = getattr(nn, kind)(*args, **options)
    check_module_parity(layer, registry.reference("seq", name, dtype), dtype)


@pytest.mark.parametrize("kind", [nn.MaxPool2d, nn.AvgPool2d])
@pytest.mark.parametrize(
    ("kernel", "stride"), [(2, None), (3, 2), (2, 3), ((1, 2), (3, 1)), (4, 4)]
)
def test_pools(kind: type[nn.Module], kernel: Any, stride: Any) -> None:
    x = generator(3).permutation(np.arange(2 * 2 * 5 * 7.0)).reshape(2, 2, 5, 7)  # no two alike
    check_module(kind(kernel, stride), x, generator(4))  # type: ignore[call-arg]


def test_first_of_equal_pixels_gets_the_gradient() -> None:
    pool = nn.MaxPool2d(2)
    pool(np.zeros((1, 1, 2, 4)))
    dx = pool.backward(np.array([[[[1.0, 2.0]]]]))
    np.testing.assert_array_equal(dx, [[[[1, 0, 2, 0], [0, 0, 0, 0]]]])


def test_flatten_is_in_reading_order_also_after_a_convolution() -> None:
    layer = conv(1, 2, 2)
    y = layer(generator(5).normal(size=(3, 1, 3, 4)))
    flat = nn.Flatten()
    np.testing.assert_array_equal(flat(y), np.ascontiguousarray(y).reshape(3, -1))
    np.testing.assert_array_equal(flat.backward(flat(y)), y)
    check_module(nn.Flatten(), generator(6).normal(size=(2, 3, 1, 2)), generator(7))


def cnn() -> nn.Sequential:
    return nn.Sequential(
        conv(1, 2, 3, padding=1),
        nn.Tanh(),
        nn.MaxPool2d(2),
        conv(2, 3, 3, padding=1),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(3, 4, rng=generator(8), dtype=F64),
    )


def test_whole_cnn() -> None:
    check_module(cnn(), generator(9).normal(size=(2, 1, 4, 5)), generator(10))


def test_any_order_in_memory_gives_the_same() -> None:
    x, model = generator(11).normal(size=(3, 1, 4, 5)), cnn()
    for axes in ((0, 1, 2, 3), (1, 2, 3, 0), (0, 2, 3, 1), (3, 2, 1, 0)):
        same = np.ascontiguousarray(x.transpose(axes)).transpose(np.argsort(axes))
        np.testing.assert_array_equal(same, x)
        np.testing.assert_allclose(model(same), model(x), rtol=1e-12)


def test_change_of_batch_size_and_type_between_steps() -> None:
    layer, rng = conv(1, 2, 3, padding=1), generator(12)
    for n, side in ((4, 5), (1, 5), (2, 3), (4, 5)):
        x = rng.normal(size=(n, 1, side, side))
        np.testing.assert_allclose(layer(x), slow_convolution(layer, x), rtol=1e-12)
    narrow = layer.to(np.float32)(x)
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, slow_convolution(layer, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_works_by_itself(twin: Any) -> None:
    layer, rng = conv(1, 2, 3), generator(13)
    x, z = rng.normal(size=(2, 2, 1, 4, 4))
    y = layer(x)
    other = twin(layer)
    np.testing.assert_allclose(other(z), slow_convolution(layer, z), rtol=1e-12)
    upstream = rng.normal(size=y.shape)
    dx = layer.backward(upstream)
    assert layer.weight.grad is not None
    assert_gradient(lambda: float((layer(x) * upstream).sum()), x, dx, "input")
    assert other.weight.grad is None


def test_frozen_filters_get_no_gradient() -> None:
    layer, rng = conv(2, 3, 2), generator(14)
    layer.weight.requires_grad = False
    check_module(layer, rng.normal(size=(2, 2, 3, 3)), rng)
    layer.weight.requires_grad = True
    assert layer.bias is not None
    layer.bias.requires_grad = False
    check_module(layer, rng.normal(size=(2, 2, 3, 3)), rng)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(0, 999)
)
def test_images_do_not_meet(n: int, kernel: int, stride: int, padding: int, seed: int) -> None:
    rng = generator(seed)
    layer, pool = conv(2, 2, kernel, stride, padding), nn.MaxPool2d(1, 1)
    x = rng.normal(size=(n, 2, 4, 5))
    y = pool(layer(x))
    order = rng.permutation(n)
    np.testing.assert_allclose(layer(x[order]), y[order], atol=1e-12)
    np.testing.assert_allclose(layer(x[:1]), y[:1], atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2), st.integers(0, 2), st.integers(0, 999))
def test_shifting_the_image_shifts_the_output(down: int, right: int, seed: int) -> None:
    rng = generator(seed)
    layer = conv(1, 2, 3)
    x = np.zeros((1, 1, 11, 11))
    x[..., 4:7, 4:7] = rng.normal(size=(3, 3))
    moved = np.roll(layer(x), (down, right), axis=(2, 3))
    np.testing.assert_allclose(layer(np.roll(x, (down, right), axis=(2, 3))), moved, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.floats(-3, 3), st.integers(0, 999))
def test_linearity(factor: float, seed: int) -> None:
    layer = conv(2, 3, 2, 1, 1, bias=False)
    x, z = generator(seed).normal(size=(2, 2, 2, 3, 4))
    np.testing.assert_allclose(layer(x + factor * z), layer(x) + factor * layer(z), atol=1e-12)


def test_initial_weights_are_pytorchs() -> None:
    layer = nn.Conv2d(3, 50, (2, 4), rng=generator(15))
    bound = 1 / np.sqrt(3 * 2 * 4)
    assert layer.bias is not None
    for values in (layer.weight.data, layer.bias.data):
        assert values.dtype == np.float32
        assert 0.9 * bound < np.abs(values).max() <= bound
        assert values.min() < -0.8 * bound
    again = nn.Conv2d(3, 50, (2, 4), rng=generator(15))
    np.testing.assert_array_equal(again.weight.data, layer.weight.data)
    assert not np.array_equal(nn.Conv2d(3, 50, (2, 4)).weight.data, layer.weight.data)


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (np.zeros((2, 8, 8)), ValueError, r"\(N, 1, H, W\).*got \(2, 8, 8\)"),
        (np.zeros((2, 3, 8, 8)), ValueError, r"\(N, 1, H, W\).*got \(2, 3, 8, 8\)"),
        (np.zeros((2, 1, 2, 8)), ValueError, r"\(2, 8\) pixels.*\(3, 1\)"),
        (np.zeros((2, 1, 8, 8), int), TypeError, "floating-point.*int64"),
        (np.zeros((0, 1, 8, 8)), ValueError, r"empty.*\(0, 1, 8, 8\)"),
    ],
)
def test_bad_images(x: np.ndarray, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        nn.Conv2d(1, 2, 3, padding=(0, 1))(x)


def test_padding_counts_on_both_sides_only() -> None:
    layer = nn.Conv2d(1, 2, 5, padding=1)
    assert layer(np.zeros((1, 1, 3, 3))).shape == (1, 2, 1, 1)
    for shape in ((1, 1, 2, 3), (1, 1, 3, 2)):
        with pytest.raises(ValueError, match=r"at least \(3, 3\)"):
            layer(np.zeros(shape))


def test_smallest_images_that_fit() -> None:
    assert nn.Conv2d(1, 2, 3, padding=(0, 1))(np.zeros((1, 1, 3, 1))).shape == (1, 2, 1, 1)
    assert nn.MaxPool2d((2, 3))(np.zeros((1, 4, 2, 3))).shape == (1, 4, 1, 1)


@pytest.mark.parametrize("pool", [nn.MaxPool2d((2, 3)), nn.AvgPool2d((2, 3))])
def test_bad_images_for_pooling(pool: nn.Module) -> None:
    with pytest.raises(ValueError, match=r"\(N, C, H, W\).*got \(4, 4\)"):
        pool(np.zeros((4, 4)))
    with pytest.raises(ValueError, match=r"\(4, 2\) pixels.*\(2, 3\)"):
        pool(np.zeros((1, 1, 4, 2)))


@pytest.mark.parametrize("size", [0, -1, (1, 2, 3), 2.5, (2, 0)])
def test_bad_sizes(size: Any) -> None:
    with pytest.raises(ValueError, match="kernel_size must be"):
        nn.Conv2d(1, 2, size)
    with pytest.raises(ValueError, match="stride must be"):
        nn.MaxPool2d(2, size)


def test_bad_padding() -> None:
    with pytest.raises(ValueError, match=r"padding must be .* at least 0, got -1"):
        nn.Conv2d(1, 2, 3, padding=-1)
    assert nn.Conv2d(1, 2, 3, padding=0).padding == (0, 0)


def test_reprs() -> None:
    assert repr(nn.Conv2d(1, 2, 3)) == "Conv2d(1, 2, kernel_size=(3, 3))"
    full = nn.Conv2d(3, 4, 3, stride=2, padding=(0, 1), bias=False)
    assert repr(full) == (
        "Conv2d(3, 4, kernel_size=(3, 3), stride=(2, 2), padding=(0, 1), bias=False)"
    )
    assert repr(nn.MaxPool2d(2)) == "MaxPool2d(kernel_size=(2, 2), stride=(2, 2))"
