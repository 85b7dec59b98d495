"""Where the weights start."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ffcourse import nn
from ffcourse.nn import init

SHAPE = (300, 200)


def draw(name: str, *args: object, shape: tuple[int, ...] = SHAPE, **options: object) -> np.ndarray:
    array = np.full(shape, np.nan)
    out = getattr(init, name)(array, *args, rng=np.random.default_rng(0), **options)
    assert out is array
    again = getattr(init, name)(array.copy(), *args, rng=np.random.default_rng(0), **options)
    np.testing.assert_array_equal(array, again)
    return array


SPREADS = [
    ("xavier_uniform_", (), {}, math.sqrt(2 / 500)),
    ("xavier_normal_", (), {}, math.sqrt(2 / 500)),
    ("xavier_uniform_", (3.0,), {}, 3 * math.sqrt(2 / 500)),
    ("xavier_normal_", (3.0,), {}, 3 * math.sqrt(2 / 500)),
    ("kaiming_uniform_", (), {"nonlinearity": "relu"}, math.sqrt(2 / 300)),
    ("kaiming_normal_", (), {"nonlinearity": "relu"}, math.sqrt(2 / 300)),
    ("kaiming_normal_", (), {}, math.sqrt(2 / 300)),
    ("kaiming_normal_", (1.0,), {}, math.sqrt(1 / 300)),
    ("kaiming_uniform_", (1.0,), {"mode": "fan_out"}, math.sqrt(1 / 200)),
    ("kaiming_normal_", (), {"mode": "fan_out"}, math.sqrt(2 / 200)),
    ("he_normal_", (), {}, math.sqrt(2 / 300)),
    ("he_uniform_", (), {}, math.sqrt(2 / 300)),
    ("normal_", (0.0, 0.3), {}, 0.3),
    ("uniform_", (-0.3, 0.3), {}, 0.3 / math.sqrt(3)),
]


@pytest.mark.parametrize(("name", "args", "options", "std"), SPREADS)
def test_spread(name: str, args: tuple[float, ...], options: dict[str, str], std: float) -> None:
    values = draw(name, *args, **options)
    assert values.std() == pytest.approx(std, rel=0.01)
    assert abs(values.mean()) < 0.02 * std
    if "uniform" in name:
        assert np.abs(values).max() == pytest.approx(std * math.sqrt(3), rel=0.001)
        assert values.min() < -0.99 * std * math.sqrt(3)
    else:
        assert np.abs(values).max() > 3.5 * std


def test_means_and_bounds() -> None:
    assert draw("normal_", 5.0, 0.1).mean() == pytest.approx(5, rel=0.001)
    assert abs(draw("normal_").mean()) < 0.02
    assert draw("normal_").std() == pytest.approx(1, rel=0.01)
    values = draw("uniform_")
    assert (values.min() >= 0) & (values.min() < 0.001)
    assert (values.max() <= 1) & (values.max() > 0.999)


def test_constants_and_parameters_change_in_place() -> None:
    p = nn.Parameter(np.full((2, 3), 7, np.float32))
    array = p.data
    assert init.zeros_(p) is p
    np.testing.assert_array_equal(array, 0)
    np.testing.assert_array_equal(init.ones_(array), 1)
    np.testing.assert_array_equal(init.constant_(p, 4).data, 4)
    init.kaiming_uniform_(p)
    assert p.data is array
    assert array.dtype == np.float32


def test_fans() -> None:
    assert init.fans((3, 5)) == (3, 5)
    assert init.fans((8, 2, 3, 4)) == (24, 96)
    assert init.fans((1, 4)) == (1, 4)
    with pytest.raises(ValueError, match=r"none of them 0, got shape \(0, 3\)"):
        init.fans((0, 3))
    with pytest.raises(ValueError, match=r"none of them 0, got shape \(3,\)"):
        init.fans((3,))


def test_gains() -> None:
    assert init.calculate_gain("linear") == init.calculate_gain("sigmoid") == 1
    assert init.calculate_gain("tanh") == pytest.approx(5 / 3)
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    assert init.calculate_gain("leaky_relu", 0.5) == math.sqrt(2 / 1.25)
    with pytest.raises(ValueError, match="nonlinearity must be one of"):
        init.calculate_gain("step")
    with pytest.raises(ValueError, match="mode must be"):
        init.kaiming_normal_(np.ones((2, 2)), mode="fan")


def test_he_keeps_the_spread_through_many_relu_layers() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 100))
    for _ in range(20):
        w = init.kaiming_normal_(np.empty((100, 100)), nonlinearity="relu", rng=rng)
        x = np.maximum(x @ w, 0)
    assert 0.3 < np.sqrt(np.square(x).mean()) < 3
