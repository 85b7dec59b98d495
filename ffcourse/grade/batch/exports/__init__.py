"""Marks in the formats that other programs read, with exactly their columns."""

from __future__ import annotations

FORMATS = ("canvas", "moodle", "nbgrader", "gradescope")
