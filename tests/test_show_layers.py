"""Layers: the same numbers as SVG and by Matplotlib."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from ffcourse import show
from ffcourse.show import svg
from ffcourse.show.frame import Frame
from ffcourse.show.palettes import palette
from ffcourse.show.panels import Stage

FRAME = Frame(10, 20, 200, 100, (0.0, 2.0), (0.0, 1.0))

ONE_OF_EACH = [
    show.Line([0, 1, 2], [0, 1, 0], label="a line"),
    show.Line([0, 2], [0.5, 0.5], dashed=True),
    show.Area([0, 1, 2], 0, [0.2, 0.4, 0.2]),
    show.Contour(np.arange(12.0).reshape(3, 4), (0, 2, 0, 1), [5.5]),
    show.Dots([0.5, 1, 1.5], [0.2, 0.4, 0.6], [0, 1, 2], [False, True, False]),
    show.Dots([0.5], [0.5], [3]),
    show.Discs([0.5, 1.5], [0.5, 0.5], [-1, 2], chosen=1),
    show.Arrow(0, 0, 1, 1),
    show.Arrow([0, 1], [0, 0], [1, 1], [1, 1], head=0, dashed=True),
    show.Links([0, 0], [0, 1], [2, 2], [0, 1], [-0.5, 2]),
    show.Map(np.eye(4), (0, 2, 0, 1)),
    show.Map(np.eye(4, dtype=int), (0, 2, 0, 1), palette="classes", opacity=0.5),
    show.Text(1, 0.5, "a < b & c"),
    show.Text([0, 1], [0, 1], ["x", "y"], fraction=True, anchor="right", bold=True, halo=True),
    show.Bars([0.5, 1.5], [0.5, -0.2], "signed"),
    show.Bars([0.2, 0.6], [1, 2], ["loss", "data"], 0.2, sideways=True),
    show.Boxes([0.5, 1], 0.5, 0.4, 0.2),
]


@pytest.mark.parametrize("layer", ONE_OF_EACH, ids=lambda layer: type(layer).__name__)
def test_layer_in_both_ways(layer):
    ET.fromstring(f"<svg>{layer.to_svg(FRAME)}</svg>")  # well-formed
    stage = Stage(show.Panel((0, 2), (0, 1)), [], None)
    ax = stage.axes[0]
    limits = ax.get_xlim(), ax.get_ylim()
    artists = layer.draw(ax)
    assert artists
    for artist in artists:
        artist.remove()
    assert not ax.lines
    assert not ax.images
    if not isinstance(layer, show.Bars | show.Contour | show.Line | show.Area | show.Arrow):
        assert (ax.get_xlim(), ax.get_ylim()) == limits
    assert layer.numbers()


def test_line_maps_data_to_points():
    path = re.search(r'd="([^"]*)"', show.Line([0, 2], [0, 1]).to_svg(FRAME)).group(1)
    assert path == "M10.0,120.0 210.0,20.0"


def test_line_leaves_a_gap_where_a_number_is_missing():
    path = show.Line([0, 1, 1, 2, 2], [0, 1, np.nan, 1, 0]).to_svg(FRAME)
    assert path.count("M") == 2
    assert "nan" not in path


def test_huge_and_infinite_values_stay_finite_in_svg():
    text = show.Line([0, 1, 2], [1e300, np.inf, -1e300]).to_svg(FRAME)
    assert "inf" not in text
    assert "e+" not in text


def test_log_axes():
    frame = Frame(0, 0, 100, 100, (1.0, 100.0), (0.1, 10.0), xlog=True, ylog=True)
    assert frame.x(10.0) == pytest.approx(50)
    assert frame.y(1.0) == pytest.approx(50)


def test_frame_agrees_with_matplotlib():
    panel = show.Panel((1, 1000), (-2, 3), "x", "y", "a title", xscale="log")
    stage = Stage([panel, show.Panel((0, 1), (0, 2), equal=True)], [], None)
    w, h = stage.figure.get_size_inches() * 72
    for ax, frame, point in zip(stage.axes, stage.frames, [(30, 1), (0.3, 0.4)], strict=True):
        inches = ax.figure.dpi_scale_trans.inverted().transform(ax.transData.transform(point))
        assert frame.x(point[0]) == pytest.approx(inches[0] * 72, abs=0.01)
        assert frame.y(point[1]) == pytest.approx(h - inches[1] * 72, abs=0.01)
    assert w == stage.size[0]


def test_map_png_holds_the_palette_and_the_right_way_up():
    values = np.array([[-1.0, 0.0], [0.0, 1.0]])  # row 0 at the bottom
    text = show.Map(values, (0, 2, 0, 1)).to_svg(FRAME)
    data = base64.b64decode(re.search(r"base64,([^\"]*)", text).group(1))
    with Image.open(io.BytesIO(data)) as picture:
        pixels = np.array(picture.convert("RGBA"))
    table = palette("diverging")
    assert pixels.shape == (2, 2, 4)
    assert pixels[1, 0].tolist() == table[0].tolist()  # bottom left: the lowest
    assert pixels[0, 1, 3] > 200
    assert pixels[0, 0, 3] == pixels[1, 1, 3] == 0


def test_a_decision_map_with_200_dots_is_small():
    rng = np.random.default_rng(0)
    field = np.tanh(rng.normal(size=(10, 10))).repeat(10, 0).repeat(10, 1)
    frame_svg = show.Map(field, (0, 2, 0, 1)).to_svg(FRAME)
    frame_svg += show.Dots(*rng.uniform(size=(2, 200)), rng.integers(0, 2, 200)).to_svg(FRAME)
    assert len(frame_svg) < 50_000


def test_text_is_escaped():
    assert "a &lt; b &amp; c" in show.Text(0, 0, "a < b & c").to_svg(FRAME)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: show.Line([1, 2], [1]), "Line: these need the same length, but x has 2, y has 1"),
        (lambda: show.Dots([1, 2], [1, 2], [0]), "classes has 1"),
        (lambda: show.Map([1, 2], (0, 1, 0, 1)), r"shape \(H, W\), got \(2,\)"),
        (lambda: show.Text([1, 2], [1, 2], ["a"]), "2 points need as many texts, got 1"),
        (lambda: show.Text(1, 1, "a", anchor="top"), "left, center or right"),
    ],
)
def test_bad_input_is_told(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_words_for_screen_readers():
    dots = show.Dots([1, 2], [1, 2], errors=[True, False])
    assert dots.words() == "1 of 2 points ringed as errors."
    assert show.Text(0, 0, "loss 0.2").words() == "loss 0.2."
    assert show.Text(0, 0, "loss 0.2", quiet=True).words() == ""
    assert show.Line([0], [0], spoken="A flat line.").words() == "A flat line."


def test_numbers_are_short():
    assert svg.num(2.0) == "2"
    assert svg.num(2.345) == "2.3"
    assert svg.tag("a", b_c=1.0, d=None, class_="e") == '<a b-c="1" class="e"/>'


def test_boxes_have_one_size():
    with pytest.raises(
        TypeError, match=r"Boxes: width is one number for all of them, got \[1, 2\]"
    ):
        show.Boxes([0, 1], 0, width=[1, 2])
    assert show.Boxes([0, 1], 0, width=np.float32(2)).width == 2.0
