"""The vendored sets: right files, right shapes, right counts, offline and without scikit-learn."""

import doctest
import hashlib
import importlib
import json
import shutil
import socket
import subprocess
import sys

import numpy as np
import pytest

from ffcourse import data
from ffcourse.data import store, vendor

SIDECARS = sorted(path.stem for path in store.FOLDER.glob("*.json"))
LOADERS = {
    "breast_cancer": data.load_breast_cancer,
    "digits": data.load_digits,
    "auto_mpg": data.load_auto_mpg,
    "sunspots": data.load_sunspots,
    "credit": data.load_credit,
    "sentences": data.load_sentences,
    "surnames": lambda: data.load_names("surnames"),
    "female_names": lambda: data.load_names("female"),
    "male_names": lambda: data.load_names("male"),
}


def test_every_file_has_a_sidecar_and_a_loader():
    described = {
        json.loads((store.FOLDER / f"{n}.json").read_text("utf-8"))["file"] for n in SIDECARS
    }
    data_files = {path.name for path in store.FOLDER.iterdir() if path.suffix != ".json"}
    assert data_files == described
    assert set(SIDECARS) == set(LOADERS)


def test_all_sets_together_are_small():
    assert sum(path.stat().st_size for path in store.FOLDER.iterdir()) < 1_000_000


@pytest.mark.parametrize("name", SIDECARS)
def test_checksum_matches_the_file(name):
    described = store.sidecar(name)
    raw = (store.FOLDER / described["file"]).read_bytes()
    if not described["file"].endswith(".gz"):
        raw = raw.replace(b"\r\n", b"\n")
    assert hashlib.sha256(raw).hexdigest() == described["sha256"]


@pytest.mark.parametrize("name", SIDECARS)
def test_card_is_complete_and_printed(name):
    dataset = LOADERS[name]()
    card = dataset.card
    for field in ("title", "source", "authors", "year", "licence", "size", "note"):
        assert getattr(card, field).strip(), field
    assert len(card.faults) >= 2
    shown = repr(dataset)
    assert card.title in shown
    assert "licence:" in shown
    assert str(dataset.X.shape) in shown
    assert max(map(len, str(card).splitlines())) <= 88


@pytest.mark.parametrize("name", SIDECARS)
def test_arrays_fit_their_names(name):
    dataset = LOADERS[name]()
    X, y = dataset
    assert len(X) == len(y) == len(dataset)
    if X.ndim == 2:
        assert X.shape[1] == len(dataset.feature_names)
        assert X.dtype == np.float32
        assert np.isfinite(X).all()
    if y.dtype == np.int64:
        assert set(np.unique(y)) == set(range(len(dataset.target_names)))
    else:
        assert y.dtype == np.float32
        assert len(dataset.target_names) == 1


def test_shapes_and_class_counts():
    cancer = data.load_breast_cancer()
    assert cancer.X.shape == (569, 30)
    assert np.bincount(cancer.y).tolist() == [357, 212]
    assert cancer.target_names == ("benign", "malignant")
    digits = data.load_digits()
    assert digits.X.shape == (1797, 64)
    assert np.bincount(digits.y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (digits.X.min(), digits.X.max()) == (0, 16)
    assert data.load_auto_mpg().X.shape == (392, 7)
    assert data.load_sunspots().X[[0, -1], 0].tolist() == [1700, 2008]
    sentences = data.load_sentences()
    assert len(sentences) >= 400
    assert np.ptp(np.bincount(sentences.y)) == 0


def test_malignant_tumours_are_the_larger_ones():
    X, y = data.load_breast_cancer()
    assert X[y == 1, 0].mean() > 1.3 * X[y == 0, 0].mean()


def test_digits_as_images_are_the_same_pixels():
    flat, images = data.load_digits(), data.load_digits(images=True)
    assert images.X.shape == (1797, 1, 8, 8)
    np.testing.assert_array_equal(images.X.reshape(1797, 64), flat.X)


def test_auto_mpg_first_and_extreme_cars():
    dataset = data.load_auto_mpg(dtype=np.float64)
    np.testing.assert_array_equal(dataset.X[0], [8, 307, 130, 3504, 12, 70, 1])
    assert dataset.y[0] == 18
    assert (dataset.y.min(), dataset.y.max()) == (9, 46.6)


def test_credit_counts_and_published_moments():
    dataset = data.load_credit(dtype=np.float64)
    assert dataset.X.shape == (1000, 20)
    assert np.bincount(dataset.y).tolist() == [700, 300]
    column = dict(zip(dataset.feature_names, dataset.X.T, strict=True))
    # Means and standard errors that others printed for the LMU version of these credits.
    published = {
        "duration": (20.903, 0.38133320),
        "amount": (3271.248, 89.26324831),
        "age": (35.542, 0.35900295),
    }
    for name, (mean, error) in published.items():
        assert column[name].mean() == pytest.approx(mean, abs=1e-9)
        assert column[name].std(ddof=1) / np.sqrt(1000) == pytest.approx(error, abs=6e-9)
    assert column["purpose"].mean() == pytest.approx(2.828)
    assert (column["foreign_worker"] == 1).sum() == 37


def test_credits_are_compared_whatever_their_order():
    names = vendor.classic_credit("@data\n")[0]
    arff = (
        "@data\n"
        "'no checking',12,'existing paid',radio/tv,841,'<100','>=7',4,'male single',none,4,"
        "'real estate',36,none,own,1,skilled,1,yes,yes,good\n"
        "% a comment\n"
        "'<0',48,'no credits/all paid',other,5951,'no known savings',unemployed,2,"
        "'female div/dep/mar',guarantor,1,'life insurance',22,bank,rent,2,"
        "'unskilled resident',2,none,no,bad\n"
    )
    classic = vendor.classic_credit(arff)
    first = [*map(str, (4, 12, 2, 3, 841, 1, 5, 4, 3, 1, 4, 1, 36, 3, 2, 1, 3, 2, 2, 2, 1))]
    second = [*map(str, (1, 48, 0, 10, 5951, 5, 1, 2, 2, 3, 1, 2, 22, 1, 1, 2, 2, 1, 1, 1, 0))]
    assert classic == [names, first, second]
    assert vendor.differences([names, second, first], classic) == (2, {})
    older = [*first[:12], "37", *first[13:]]
    assert vendor.differences([names, second, older], classic) == (1, {"age": 1})


def test_every_credit_code_has_a_meaning():
    dataset = data.load_credit()
    levels = data.credit_levels()
    for name, values in zip(dataset.feature_names, dataset.X.T, strict=True):
        if name in levels:
            assert set(np.unique(values).astype(int)) <= set(levels[name]), name
    assert set(dataset.feature_names) - set(levels) == {"duration", "amount", "age"}


def test_credit_one_hot_has_one_column_a_level():
    coded, expanded = data.load_credit(), data.load_credit(one_hot=True)
    assert expanded.X.shape == (1000, 71)
    assert len(expanded.feature_names) == 71
    own = expanded.X[:, expanded.feature_names.index("housing: own")]
    np.testing.assert_array_equal(own, coded.X[:, 14] == 3)
    groups = {name.split(":")[0] for name in expanded.feature_names if ":" in name}
    for group in groups:
        columns = [i for i, n in enumerate(expanded.feature_names) if n.startswith(f"{group}:")]
        np.testing.assert_array_equal(expanded.X[:, columns].sum(axis=1), 1)


def test_sentences_are_distinct_balanced_prose():
    X, _ = data.load_sentences()
    plain = {"".join(c for c in sentence.lower() if c.isalpha()) for sentence in X}
    assert len(plain) == len(X)
    assert all(sentence[0].isupper() and sentence[-1] in ".!?" for sentence in X)
    assert all(3 <= len(data.words(sentence)) <= 16 for sentence in X)
    assert "language model" in data.load_sentences().card.note


def test_names_counts_and_overlap():
    surnames, female = data.load_names("surnames").X, data.load_names("female").X
    male = data.load_names("male").X
    assert (len(surnames), len(female), len(male)) == (88799, 4275, 1219)
    assert surnames[:3].tolist() == ["smith", "johnson", "williams"]
    assert len(set(surnames) & set(female)) == 1325
    assert len(set(male) & set(surnames)) == 1022
    assert len(set(male) & set(female)) == 331
    assert set("".join(surnames)) == set("abcdefghijklmnopqrstuvwxyz")
    assert data.load_names("female", top=5).X.tolist()[0] == "mary"


def test_each_call_gives_fresh_arrays():
    first = data.load_digits()
    first.X[:] = -1
    assert data.load_digits().X.min() == 0


@pytest.mark.parametrize("load", [data.load_breast_cancer, data.load_digits, data.load_credit])
def test_dtype_is_a_float(load):
    assert load(dtype=np.float64).X.dtype == np.float64
    with pytest.raises(ValueError, match="floating-point"):
        load(dtype=np.int32)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="'surnames', 'female', 'male', got 'cats'"):
        data.load_names("cats")
    with pytest.raises(ValueError, match="top must be at least 1"):
        data.load_names(top=0)


def test_same_as_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    theirs, ours = datasets.load_breast_cancer(), data.load_breast_cancer(dtype=np.float64)
    np.testing.assert_array_equal(ours.X, theirs.data)
    np.testing.assert_array_equal(ours.y, 1 - theirs.target)
    assert list(ours.feature_names) == list(theirs.feature_names)
    theirs, ours = datasets.load_digits(), data.load_digits(dtype=np.float64)
    np.testing.assert_array_equal(ours.X, theirs.data)
    np.testing.assert_array_equal(ours.y, theirs.target)


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "sets"
    shutil.copytree(store.FOLDER, folder)
    monkeypatch.setattr(store, "FOLDER", folder)
    data.load_digits()
    raw = bytearray((folder / "digits.csv.gz").read_bytes())
    raw[1000] ^= 1
    (folder / "digits.csv.gz").write_bytes(raw)
    with pytest.raises(ValueError, match=r"digits\.csv\.gz is not the one .* SHA-256"):
        data.load_digits()
    (folder / "sunspots.csv.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"sunspots\.csv\.gz is missing"):
        data.load_sunspots()


def test_windows_line_ends_do_not_break_the_checksum(tmp_path, monkeypatch):
    folder = tmp_path / "sets"
    shutil.copytree(store.FOLDER, folder)
    monkeypatch.setattr(store, "FOLDER", folder)
    before = data.load_sentences().X
    path = folder / "sentences.tsv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    np.testing.assert_array_equal(data.load_sentences().X, before)


def test_loads_offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    for load in LOADERS.values():
        assert len(load()) > 0


def test_needs_nothing_but_numpy():
    program = """
import sys
for name in ("sklearn", "scipy", "pandas", "statsmodels", "bokeh", "torch", "matplotlib"):
    sys.modules[name] = None
from ffcourse import data
for load in (data.load_breast_cancer, data.load_digits, data.load_auto_mpg, data.load_sunspots,
             data.load_credit, data.load_sentences, data.load_names):
    assert len(load()) > 0
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["batches", "scale", "series", "vocabulary"])
def test_examples_in_docstrings(name):
    module = importlib.import_module(f"ffcourse.data.{name}")
    result = doctest.testmod(module, extraglobs={"np": np})
    assert result.attempted > 0
    assert result.failed == 0


def test_vendoring_gives_the_same_rows_again():
    pytest.importorskip("sklearn")
    for name, make in (("breast_cancer", vendor.breast_cancer), ("digits", vendor.digits)):
        rows = make(store.FOLDER)
        text = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
        assert text == store.text(store.sidecar(name))
        # The compressed bytes depend on the zlib version, so only the content is compared.
        assert vendor.pack(rows) == vendor.pack(rows)
