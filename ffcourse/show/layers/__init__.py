"""The layers that a live figure is made of."""

from ffcourse.show.layers.arrows import Arrow, Links
from ffcourse.show.layers.bars import Bars
from ffcourse.show.layers.base import Layer
from ffcourse.show.layers.boxes import Boxes
from ffcourse.show.layers.dots import Discs, Dots
from ffcourse.show.layers.grid import Map
from ffcourse.show.layers.line import Area, Contour, Line
from ffcourse.show.layers.text import Text

__all__ = ["Area", "Arrow", "Bars", "Boxes", "Contour", "Discs", "Dots", "Layer", "Line", "Links"]
__all__ += ["Map", "Text"]
