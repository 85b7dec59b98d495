"""Makes the files in ``sets/`` again from their sources. For maintainers, not for learners.

Run ``python -m ffcourse.data.vendor FOLDER``, where FOLDER holds the unpacked packages that the
cards name (bokeh-sampledata, statsmodels, names, pysubgroup) and UCI's ``SouthGermanCredit.asc``.
scikit-learn must be importable. ``python -m ffcourse.data.vendor FOLDER --check-credit`` only
compares the credits that are here with the well-known copy in pysubgroup.
The texts of the cards live in the sidecars and are kept; only data and checksums are written.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import sys
from collections import Counter
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


# What the well-known copy (Statlog) says for each code, the lowest first. The corrected file has
# the same numbers, and other meanings for many of them; only two columns are turned round.
CLASSIC = {
    "status": ["<0", "0<=X<200", ">=200", "no checking"],
    "credit_history": [
        "no credits/all paid",
        "all paid",
        "existing paid",
        "delayed previously",
        "critical/other existing credit",
    ],
    "purpose": [
        "new car",
        "used car",
        "furniture/equipment",
        "radio/tv",
        "domestic appliance",
        "repairs",
        "education",
        "vacation",
        "retraining",
        "business",
        "other",
    ],
    "savings": ["<100", "100<=X<500", "500<=X<1000", ">=1000", "no known savings"],
    "employment_duration": ["unemployed", "<1", "1<=X<4", "4<=X<7", ">=7"],
    "personal_status_sex": ["male div/sep", "female div/dep/mar", "male single", "male mar/wid"],
    "other_debtors": ["none", "co applicant", "guarantor"],
    "property": ["real estate", "life insurance", "car", "no known property"],
    "other_installment_plans": ["bank", "stores", "none"],
    "housing": ["rent", "own", "for free"],
    "job": [
        "unemp/unskilled non res",
        "unskilled resident",
        "skilled",
        "high qualif/self emp/mgmt",
    ],
    "people_liable": ["2", "1"],  # turned round
    "telephone": ["none", "yes"],
    "foreign_worker": ["no", "yes"],  # turned round
    "good": ["bad", "good"],
}
FROM_ZERO = ("credit_history", "purpose", "good")  # their lowest code is 0, not 1


def classic_credit(arff: str) -> Rows:
    """Return the credits of ``credit-g.arff`` (Statlog) as codes, with our header."""
    names = [*json.loads((FOLDER / "credit.json").read_text("utf-8"))["feature_names"], "good"]
    lines = [line for line in arff.split("@data", 1)[1].splitlines() if line and line[0] != "%"]

    def code(name: str, value: str) -> str:
        if name not in CLASSIC:
            return value
        return str(CLASSIC[name].index(value) + (name not in FROM_ZERO))

    rows = csv.reader(lines, quotechar="'")
    return [names, *[[code(n, v) for n, v in zip(names, row, strict=True)] for row in rows]]


def differences(ours: Rows, classic: Rows) -> tuple[int, dict[str, int]]:
    """Compare two tables of credits, whatever their order.

    Returns
    -------
    int
        How many rows are in both.
    dict of str to int
        In how many of the others a column differs from the row that is most like it.
    """
    names, left, cells = ours[0], [tuple(row) for row in classic[1:]], Counter[str]()
    alone = []
    for row in map(tuple, ours[1:]):
        if row in left:
            left.remove(row)
        else:
            alone.append(row)
    for row in alone:
        nearest = min(left, key=lambda other: sum(a != b for a, b in zip(row, other, strict=True)))
        left.remove(nearest)
        cells.update(n for n, a, b in zip(names, row, nearest, strict=True) if a != b)
    return len(ours) - 1 - len(alone), dict(cells)


def check_credit(folder: Path) -> None:
    """Print how our credits compare with those that pysubgroup ships."""
    with gzip.open(FOLDER / "credit.csv.gz", "rt", encoding="ascii", newline="") as file:
        ours = list(csv.reader(file))
    arff = (folder / "pysubgroup" / "data" / "credit-g.arff").read_text("utf-8")
    same, cells = differences(ours, classic_credit(arff))
    print(f"{same} of {len(ours) - 1} credits are the same; in the others differ: {cells}")


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
    if "--check-credit" in sys.argv:
        check_credit(Path(sys.argv[1]))
    else:
        main(sys.argv[1])
