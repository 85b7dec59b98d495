"""Makes the files in ``sets/`` again from their sources. For maintainers, not for learners.

Run ``python -m ffcourse.data.vendor FOLDER``, where FOLDER holds the unpacked packages that the
cards name (bokeh-sampledata, statsmodels, names) and UCI's ``SouthGermanCredit.asc``.
scikit-learn must be importable.
The texts of the cards live in the sidecars and are kept; only data and checksums are written.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ffcourse.data.store import FOLDER

Rows = list[list[Any]]


def breast_cancer(_: Path) -> Rows:
    """Take scikit-learn's copy; turn its classes round, so that 1 means malignant."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    names = [str(name).replace(" ", "_") for name in bunch.feature_names]
    rows = [[*map(_short, x), 1 - int(y)] for x, y in zip(bunch.data, bunch.target, strict=True)]
    return [[*names, "malignant"], *rows]


def digits(_: Path) -> Rows:
    """Take scikit-learn's copy: 64 whole numbers and the digit."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    header = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    rows = [[*map(int, x), int(y)] for x, y in zip(bunch.data, bunch.target, strict=True)]
    return [[*header, "digit"], *rows]


def auto_mpg(folder: Path) -> Rows:
    """Take Bokeh's copy; leave out the names of the cars, put the target last."""
    header, *rows = _read_csv(folder / "bokeh_sampledata" / "_data" / "auto-mpg.csv")
    assert header == ["mpg", "cyl", "displ", "hp", "weight", "accel", "yr", "origin", "name"]
    names = ["cylinders", "displacement", "horsepower", "weight", "acceleration", "year", "origin"]
    return [[*names, "mpg"], *[[*row[1:8], row[0]] for row in rows]]


def sunspots(folder: Path) -> Rows:
    """Take statsmodels' copy: year and mean sunspot number."""
    _, *rows = _read_csv(folder / "statsmodels" / "datasets" / "sunspots" / "sunspots.csv")
    return [["year", "sunspots"], *rows]


def credit(folder: Path) -> Rows:
    """Take the UCI file; give its German columns the English names of its description."""
    lines = (folder / "SouthGermanCredit.asc").read_text("ascii").splitlines()
    names = json.loads((FOLDER / "credit.json").read_text("utf-8"))["feature_names"]
    return [[*names, "good"], *[line.split() for line in lines[1:]]]


def _names(file: str) -> Callable[[Path], Rows]:
    def read(folder: Path) -> Rows:
        path = folder / "names-0.3.0" / "names" / file
        lines = [line.split() for line in path.read_text("ascii").splitlines()]
        return [["name", "percent"], *[[line[0], line[1]] for line in lines]]

    return read


MAKERS: dict[str, Callable[[Path], Rows]] = {
    "breast_cancer": breast_cancer,
    "digits": digits,
    "auto_mpg": auto_mpg,
    "sunspots": sunspots,
    "credit": credit,
    "surnames": _names("dist.all.last"),
    "female_names": _names("dist.female.first"),
    "male_names": _names("dist.male.first"),
}


def _short(value: float) -> str:
    """Write a number with as few digits as bring it back exactly."""
    return repr(float(value)).removesuffix(".0")


def _read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def pack(rows: Iterable[Iterable[Any]]) -> bytes:
    """Return a gzip-compressed CSV file without a time stamp, so that it is the same each time."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return gzip.compress(text.getvalue().encode("utf-8"), compresslevel=9, mtime=0)


def stamp(name: str, raw: bytes) -> None:
    """Write the checksum of `raw` into the sidecar of the set `name`."""
    path = FOLDER / f"{name}.json"
    described = json.loads(path.read_text("utf-8"))
    described["sha256"] = hashlib.sha256(raw).hexdigest()
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def main(folder: str) -> None:
    """Write every set that has a maker, and its checksum."""
    for name, make in MAKERS.items():
        raw = pack(make(Path(folder)))
        (FOLDER / f"{name}.csv.gz").write_bytes(raw)
        stamp(name, raw)
    # Text written by hand: its line ends may differ on Windows, its checksum must not.
    sentences = (FOLDER / "sentences.tsv").read_bytes().replace(b"\r\n", b"\n")
    stamp("sentences", sentences)


if __name__ == "__main__":
    main(sys.argv[1])
