"""Reading the tables that teachers have: CSV as platforms and spreadsheets really write it."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from dataclasses import dataclass
from pathlib import Path

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class SheetError(ValueError):
    """A table that can't be read; the message says why and how to save it."""


@dataclass
class Sheet:
    """A table as it was read.

    Attributes
    ----------
    rows : list of list of str
        Without empty ones.
    delimiter, end : str
        Between cells, and after lines.
    mark : bool
        Whether it is UTF-8 that begins with a byte order mark.
    """

    rows: list[list[str]]
    delimiter: str
    end: str
    mark: bool


def read_sheet(path: Path, what: str) -> Sheet:
    """Return a table in UTF-8 or UTF-16, with commas, semicolons or tabs.

    Parameters
    ----------
    path : Path
    what : str
        How the message of an error begins, such as ``--roster``.

    Raises
    ------
    SheetError
        When it cannot be read. Other encodings are never guessed: names would come out wrong.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SheetError(f"{what} {path}: cannot be read ({error.strerror}).") from None
    text = _decoded(data, f"{what} {path}")
    first, newline, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:  # Excel's own hint
        text, delimiter = rest, first.strip()[4]
    else:
        delimiter = _delimiter(text)
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # essays stand in some worksheets
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise SheetError(f"{what} {path}: is no table ({error}).") from None
    end = "\r\n" if first.endswith("\r") or not newline else "\n"
    return Sheet([r for r in rows if any(cell.strip() for cell in r)], delimiter, end,
                 data.startswith(codecs.BOM_UTF8))  # fmt: skip


def _decoded(data: bytes, where: str) -> str:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is None and b"\0" in data[:200]:
        little = data[1:200:2].count(0) > data[:200:2].count(0)
        encoding = "utf-16-le" if little else "utf-16-be"
    try:
        return data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise SheetError(f"{where}: is cut off or damaged.") from None
        line = data.count(b"\n", 0, error.start) + 1
        raise SheetError(
            f"{where}: line {line} is not UTF-8. Save it again as UTF-8: in Excel the type is "
            '"CSV UTF-8", in LibreOffice "Edit filter settings" asks for it.'
        ) from None


def _delimiter(text: str) -> str:
    """Return what stands between the header's cells; what is in quotes doesn't count."""
    head = text.partition("\n")[0]
    outside = "".join(head.split('"')[::2])
    return max(",;\t", key=outside.count)
