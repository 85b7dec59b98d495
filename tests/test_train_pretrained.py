"""The shipped networks: whole, clean of test names, and made by a script that still runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ffcourse import data, nn, train
from ffcourse.train import pretrained
from ffcourse.train.pretrained import load, make, measure, recipe, tuning


@pytest.mark.parametrize("name", list(load.MODELS))
def test_a_network_loads_as_its_card_says(name):
    model, card = train.load_pretrained(name), pretrained.describe(name)
    assert model.num_parameters() == card["parameters"]
    assert not model.training
    for field in ("title", "layers", "made", "data", "licence", "sha256", "protocol", "measured"):
        assert card[field], field
    assert all(np.isfinite(p.data).all() for p in model.parameters())


def test_each_call_gives_a_copy_in_the_dtype_asked_for():
    first, second = (train.load_pretrained("digits", dtype=np.float64) for _ in range(2))
    first[0].weight.data[:] = 0
    assert second[0].weight.data.any()
    assert second[0].weight.data.dtype == np.float64


def test_the_files_stay_small():
    assert sum(path.stat().st_size for path in load.FOLDER.glob("*.s*")) < 300_000


def test_the_cards_tell_the_scores_that_the_networks_get():
    split, names = pretrained.names_split(), train.load_pretrained("names")
    told = pretrained.describe("names")["bits_per_char"]
    for part, key in ((split.test, "test first names"), (split.surnames_test, "test surnames")):
        assert recipe.bits_per_char(names, part) == pytest.approx(told[key], abs=2e-3)
    digits, model = pretrained.digits_split(), train.load_pretrained("digits")
    right = (model(digits.X_first_test).argmax(axis=1) == digits.y_first_test).mean()
    told_right = pretrained.describe("digits")["share_right"]["test digits 0 to 4"]
    assert right == pytest.approx(told_right, abs=0.005)


def test_an_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no pre-trained network 'letters'.*'names', 'digits'"):
        train.load_pretrained("letters")


@pytest.fixture
def another_folder(tmp_path, monkeypatch):
    for path in load.FOLDER.glob("digits.*"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(load, "FOLDER", tmp_path)
    return tmp_path


def test_a_changed_file_is_refused(another_folder):
    path = another_folder / "digits.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(ValueError, match=r"digits\.safetensors.*SHA-256"):
        train.load_pretrained("digits")


@pytest.mark.parametrize("name", ["digits.safetensors", "digits.json"])
def test_a_missing_file_is_told(another_folder, name):
    (another_folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} (is|are) missing.*reinstall"):
        train.load_pretrained("digits")


def test_no_test_name_is_in_any_training_set():
    split = pretrained.names_split()
    held_out = set(split.test.tolist()) | set(split.surnames_test.tolist())
    assert not held_out & set(split.pretrain.tolist())
    assert not held_out & set(split.train.tolist())
    assert not set(split.test.tolist()) & set(split.surnames_test.tolist())
    # Without the care taken, many would be: the test can fail.
    assert len(set(split.test.tolist()) & set(data.load_names("surnames").X.tolist())) > 200
    assert [len(part) for part in split] == [86535, 2000, 3420, 855]


def test_the_split_is_shared_and_cannot_be_spoilt():
    with pytest.raises(ValueError, match="read-only"):
        pretrained.names_split().train[:] = ""


def test_digits_of_the_two_tasks_are_different_pictures():
    d = pretrained.digits_split()
    for part in (d.y_first, d.y_first_test, d.y, d.y_test):
        assert set(part.tolist()) == set(range(5))
    rows = [{row.tobytes() for row in part} for part in (d.X, d.X_test)]
    assert len(rows[0] & rows[1]) <= 1
    assert d.X.max() <= 1


def test_the_measurements_cover_methods_sizes_and_seeds():
    told = pretrained.describe("names")["measured"]
    for part in ("first names", "surnames"):
        assert tuple(told[part]) == tuning.METHODS
        for table in told[part].values():
            assert tuple(map(int, table)) == measure.SIZES
            assert all(len(runs) == len(measure.SEEDS) for runs in table.values())
    assert tuple(told["remedies"]) == tuple(measure.RECIPES)
    assert tuple(pretrained.describe("digits")["measured"]["share right"]) == measure.DIGIT_METHODS


def test_a_point_of_each_curve_can_be_measured_again():
    start = train.load_pretrained("names", dtype=np.float64)
    first, surnames = measure.names_point(start, "head only", 25, 0)
    told = pretrained.describe("names")["measured"]
    assert first == pytest.approx(told["first names"]["head only"]["25"][0], abs=0.02)
    assert surnames == pytest.approx(told["surnames"]["head only"]["25"][0], abs=0.02)
    share = measure.digits_point(train.load_pretrained("digits"), "all layers", 2, 1)
    told_share = pretrained.describe("digits")["measured"]["share right"]["all layers"]["10"][1]
    assert share == pytest.approx(told_share, abs=0.02)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("head only", {"6"}),
        ("last two layers", {"4", "6"}),
        ("all layers", {"0", "2", "4", "6"}),
        ("LoRA", {"2", "4", "6"}),
    ],
)
def test_a_method_changes_its_layers_and_no_others(method, expected):
    model = train.load_pretrained("names", dtype=np.float64)
    before = model.state_dict()
    tuned = tuning.tune_names(model, pretrained.names_split().train[:20], method, epochs=2)
    changed = {k for k, part in tuned.named_children() if isinstance(part, nn.LoRALinear)}
    for name, value in tuned.state_dict().items():
        if name in before and (value != before[name]).any():
            changed.add(name.split(".")[0])
    assert changed == expected


def test_rates_fall_from_the_head_down():
    rates = [g["lr"] for g in tuning.groups(train.load_pretrained("names"), 0.1, 0.5)]
    assert rates == pytest.approx([0.0125, 0.025, 0.05, 0.1])


def test_an_unknown_method_is_told():
    model = train.load_pretrained("names")
    with pytest.raises(ValueError, match="method: expected one of from scratch, head only"):
        tuning.tune_names(model, ["anna", "mary"], "first layers")


def test_pair_counts_are_the_mean_bits_of_the_next_letter():
    # After "." comes "a" (count 1 + 1 of 28), after "a" the end (1 + 1 of 28).
    assert measure.pair_counts(["a"], ["a"], add=1.0) == pytest.approx(np.log2(28 / 2))


@pytest.mark.slow
def test_the_script_runs(tmp_path: Path):
    lines: list[str] = []
    make.make(tmp_path, parts=("digits",), epochs=2, curves=False, tell=lines.append)
    card = json.loads((tmp_path / "digits.json").read_text(encoding="utf-8"))
    state = nn.interop.load_safetensors(tmp_path / "digits.safetensors", recipe.digits_model(9))
    assert card["share_right"]["test digits 0 to 4"] > 0.5
    assert len(state) == 6
    assert lines

    names = pretrained.names_split().pretrain[:3000]
    model = make.pretrain_names(names, epochs=1)
    few = pretrained.names_split().surnames_test[:300]
    untrained = recipe.bits_per_char(recipe.names_model(0), few)
    assert recipe.bits_per_char(model, few) < untrained - 0.5
    assert measure.leak(model, model)["names"] == 264
