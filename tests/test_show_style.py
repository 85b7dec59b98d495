"""Colours: contrast on white and dark pages, and distance for every kind of colour vision."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ffcourse.show import palettes, style

WHITE, DARK = 1.0, 0.0056  # luminance of a white page and of JupyterLab's dark one (#111111)

# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(hex_colour: str) -> np.ndarray:
    c = np.array(palettes.rgb(hex_colour)) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    m = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = m @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("hue", style.CLASSES)
def test_each_colour_stands_out_on_both_pages(hue):
    luminance = linear(hue) @ [0.2126, 0.7152, 0.0722]
    assert (WHITE + 0.05) / (luminance + 0.05) >= 3
    assert (luminance + 0.05) / (DARK + 0.05) >= 3


@pytest.mark.parametrize("kind", VISION)
def test_colours_stay_apart(kind):
    seen = {hue: lab(VISION[kind] @ linear(hue)) for hue in style.CLASSES}
    for a, b in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[a] - seen[b]) > 17, (a, b)


def test_ink_reads_as_text():
    luminance = linear(style.INK) @ [0.2126, 0.7152, 0.0722]
    assert (WHITE + 0.05) / (luminance + 0.05) >= 4.5
    assert (luminance + 0.05) / (DARK + 0.05) >= 4


def test_classes_next_to_each_other_differ_in_shape_too():
    shapes = [style.class_shape(k) for k in range(20)]
    looks = {(style.class_colour(k), style.class_shape(k)) for k in range(14)}
    assert len(looks) == 14
    assert all(a != b for a, b in itertools.pairwise(shapes))


def test_roles_and_their_errors():
    assert style.colour("class 1") == style.CLASSES[1]
    assert style.colour("#123456") == "#123456"
    with pytest.raises(ValueError, match="unknown role 'wieght'"):
        style.colour("wieght")


def test_diverging_palette_is_centred_on_zero_and_symmetric():
    table = palettes.palette("diverging")
    low, zero, high = palettes.indices(np.array([-2.0, 0.0, 1.0]), "diverging", -2, 1)
    assert table[zero, 3] == 0  # zero lets the page through
    assert low == 0
    assert table[low, 3] > table[high, 3] > 0
    up = palettes.indices(np.array([1.0]), "diverging", -1, 1)[0]
    down = palettes.indices(np.array([-1.0]), "diverging", -1, 1)[0]
    assert abs(int(table[up, 3]) - int(table[down, 3])) <= 1


def test_palette_clips_and_takes_nan_without_a_warning():
    out = palettes.indices(np.array([-9.0, np.nan, np.inf]), "sequential", 0, 1)
    assert out.tolist() == [0, 0, 255]
    with pytest.raises(ValueError, match="unknown palette"):
        palettes.palette("jet")
