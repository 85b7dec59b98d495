"""Reads the files in ``sets/``: finds them, verifies their checksums, and builds their cards."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from ffcourse.data.card import DataCard
from ffcourse.data.check import Array

FOLDER = Path(__file__).with_name("sets")
CARD_FIELDS = ("title", "source", "authors", "year", "licence", "size", "note")


def sidecar(name: str) -> dict[str, Any]:
    """Return what ``sets/name.json`` says: card, file, sha256, names of columns and classes."""
    text = _bytes(FOLDER / f"{name}.json").decode("utf-8")
    described: dict[str, Any] = json.loads(text)
    return described


def card(described: dict[str, Any]) -> DataCard:
    """Build the card from a sidecar."""
    fields = {field: described[field] for field in CARD_FIELDS}
    return DataCard(**fields, faults=tuple(described["faults"]))


def text(described: dict[str, Any]) -> str:
    """Return the content of a sidecar's file, decompressed, after verifying its checksum."""
    path = FOLDER / described["file"]
    raw = _bytes(path)
    if path.suffix != ".gz":
        # A checkout on Windows may have turned line ends of plain text into \r\n.
        raw = raw.replace(b"\r\n", b"\n")
    if hashlib.sha256(raw).hexdigest() != described["sha256"]:
        raise ValueError(
            f"The data file {path.name} is not the one the course was made with: its SHA-256 "
            "differs from its sidecar's. Restore the file (git checkout) or reinstall ffcourse."
        )
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")


def table(described: dict[str, Any]) -> Array:
    """Return a numeric CSV file with one header line as float64, shape (rows, columns)."""
    lines = text(described).splitlines()
    return np.loadtxt(lines[1:], delimiter=",", dtype=np.float64, ndmin=2)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileNotFoundError(
            f"The data file {path.name} is missing from the installed package. "
            "Restore it (git checkout) or reinstall ffcourse."
        ) from error
