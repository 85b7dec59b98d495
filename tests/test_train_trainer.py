"""The training loop: averages, modes, early stopping, checkpoints that resume to the bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import data, nn, train
from ffcourse.nn import files
from tests.conftest import ROOT

X = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


def make_model(seed: int = 0, dropout: float = 0.3) -> nn.Sequential:
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Linear(4, 8, rng=rng),
        nn.BatchNorm1d(8),
        nn.Tanh(),
        nn.Dropout(dropout, rng=rng),
        nn.Linear(8, 2, rng=rng),
    )


def make_trainer(seed: int = 0, **options: Any) -> train.Trainer:
    model = make_model(seed)
    optimizer = train.Adam(model.parameters(), lr=0.02)
    schedule = train.CosineAnnealingLR(optimizer, T_max=10)
    options = {"metrics": {"accuracy": train.accuracy}, **options}
    return train.Trainer(model, nn.CrossEntropyLoss(), optimizer, schedule, **options)


def assert_same(a: train.Trainer, b: train.Trainer) -> None:
    ours, theirs = a.model.state_dict(), b.model.state_dict()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    assert a.history.step_loss == b.history.step_loss
    for mine, other in zip(a.history.epochs, b.history.epochs, strict=True):
        assert {**mine, "seconds": 0} == {**other, "seconds": 0}


def test_it_learns() -> None:
    trainer = make_trainer()
    history = trainer.fit((X, Y), val=(X, Y), epochs=60, batch_size=16)
    assert history["val_accuracy"][-1] > 0.75
    assert history["train_loss"][-1] < history["train_loss"][0]
    assert history["epoch"] == list(range(1, 61))
    assert len(history.step_loss) == trainer.step == 60 * 4
    assert len(history) == 60


def test_one_step_is_forward_backward_step() -> None:
    ours, theirs = make_model(dropout=0.0), make_model(dropout=0.0)
    loss_fn = nn.CrossEntropyLoss()
    trainer = train.Trainer(ours, loss_fn, train.SGD(ours.parameters(), lr=0.1))
    trainer.fit([(X[:10], Y[:10])], epochs=1)
    optimizer = train.SGD(theirs.parameters(), lr=0.1)
    loss = loss_fn(theirs(X[:10]), Y[:10])
    theirs.backward(loss_fn.backward())
    optimizer.step()
    assert trainer.history.step_loss == [loss]
    for name, value in ours.state_dict().items():
        np.testing.assert_array_equal(value, theirs.state_dict()[name], err_msg=name)


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_every_example_counts_the_same(sizes: list[int]) -> None:
    rng = np.random.default_rng(1)
    parts = [(rng.normal(size=(n, 4)), rng.integers(0, 2, n)) for n in sizes]
    model = make_model().to(np.float64)
    trainer = train.Trainer(
        model,
        nn.CrossEntropyLoss(),
        train.SGD(model.parameters(), lr=0.0),
        metrics={"accuracy": train.accuracy},
    )
    x, y = (np.concatenate(a) for a in zip(*parts, strict=True))
    whole, in_parts = trainer.evaluate([(x, y)]), trainer.evaluate(parts)
    assert in_parts == pytest.approx(whole)
    assert trainer.evaluate((x, y), batch_size=3) == pytest.approx(whole)
    model.eval()
    output = model(x)
    assert whole["loss"] == pytest.approx(nn.CrossEntropyLoss()(output, y))
    assert whole["accuracy"] == pytest.approx(np.mean(output.argmax(axis=1) == y))


def test_training_losses_are_weighted_too() -> None:
    model = nn.Sequential(nn.Linear(4, 2))
    trainer = train.Trainer(model, nn.CrossEntropyLoss(), train.SGD(model.parameters(), lr=0.0))
    trainer.fit((X, Y), epochs=1, batch_size=40)
    assert trainer.history["train_loss"][0] == pytest.approx(trainer.evaluate((X, Y))["loss"])


def test_modes_are_put_back_layer_by_layer() -> None:
    trainer = make_trainer()
    norm = trainer.model[1]
    norm.eval()  # as in fine-tuning
    before = norm.running_mean.copy()
    trainer.fit((X, Y), val=(X, Y), epochs=1)
    assert not norm.training
    assert trainer.model.training
    assert trainer.model[3].training
    np.testing.assert_array_equal(norm.running_mean, before)


def test_fit_leaves_evaluation_mode() -> None:
    trainer = make_trainer()
    trainer.model.eval()
    trainer.fit((X, Y), epochs=1)
    assert trainer.model.training
    assert trainer.model[3].training


@pytest.mark.parametrize(("per", "steps"), [("epoch", 3), ("step", 12)])
def test_the_schedule_goes_on_per_epoch_or_per_step(per: str, steps: int) -> None:
    trainer = make_trainer(schedule_per=per)
    trainer.fit((X, Y), epochs=3, batch_size=16)
    assert trainer.scheduler.last_epoch == steps


def test_gradients_are_clipped() -> None:
    trainer = make_trainer(clip_norm=1e-3)
    trainer.fit((X, Y), epochs=1)
    total = sum(float((p.grad**2).sum()) for p in trainer.model.parameters())
    assert total**0.5 == pytest.approx(1e-3, rel=1e-2)


def test_penalties_pull_and_do_not_count_as_loss() -> None:
    model = nn.Sequential(nn.Linear(4, 2))
    plain = train.Trainer(model, nn.CrossEntropyLoss(), train.SGD(model.parameters(), lr=0.0))
    expected = plain.evaluate([(X, Y)])["loss"]
    penalty = nn.L2Penalty([model[0].weight], 3.0)
    trainer = train.Trainer(
        model, nn.CrossEntropyLoss(), train.SGD(model.parameters(), lr=0.0), penalties=[penalty]
    )
    trainer.fit([(X, Y)], epochs=1)
    with_penalty = model[0].weight.grad
    plain.fit([(X, Y)], epochs=1)
    np.testing.assert_allclose(
        with_penalty - model[0].weight.grad, 3 * model[0].weight.data, rtol=1e-4
    )
    assert trainer.history["train_loss"] == pytest.approx([expected])


def test_a_second_fit_goes_on() -> None:
    once, twice = make_trainer(), make_trainer()
    once.fit((X, Y), epochs=5)
    twice.fit((X, Y), epochs=2)
    twice.fit((X, Y), epochs=3)
    assert_same(once, twice)


def test_an_epoch_that_was_broken_off_does_not_count() -> None:
    class Interrupt(train.Callback):
        def on_step_end(self, trainer: train.Trainer) -> None:
            if trainer.epoch == 2:
                raise KeyboardInterrupt

    trainer = make_trainer()
    with pytest.raises(KeyboardInterrupt):
        trainer.fit((X, Y), epochs=5, callbacks=[Interrupt()])
    assert trainer.epoch == len(trainer.history) == 1
    trainer.fit((X, Y), epochs=2)
    assert trainer.history["epoch"] == [1, 2, 3]


def test_a_data_set_is_taken_whole() -> None:
    moons = data.make_moons(50, 0.1, rng=np.random.default_rng(0))
    losses = []
    for source in (moons, (moons.X, moons.y)):
        model = nn.Sequential(nn.Linear(2, 2, rng=np.random.default_rng(0)))
        run = train.Trainer(model, nn.CrossEntropyLoss(), train.SGD(model.parameters()))
        losses.append(run.fit(source, val=source, epochs=2).step_loss)
    assert losses[0] == losses[1]


def test_whole_arrays_are_shuffled_by_the_rng() -> None:
    losses = [
        make_trainer(rng=np.random.default_rng(s)).fit((X, Y), epochs=1, batch_size=8).step_loss
        for s in (0, 0, 1)
    ]
    assert losses[0] == losses[1] != losses[2]


class Steps(train.Callback):
    """Counts, and stops after two epochs."""

    def __init__(self) -> None:
        self.steps, self.epochs, self.ends = 0, 0, 0

    def on_step_end(self, trainer: train.Trainer) -> None:
        self.steps += 1
        assert len(trainer.history.step_loss) == self.steps

    def on_epoch_end(self, trainer: train.Trainer) -> None:
        self.epochs += 1
        if self.epochs == 2:
            trainer.stop("enough")

    def on_fit_end(self, trainer: train.Trainer) -> None:
        self.ends += 1


def test_callbacks_are_called() -> None:
    calls = Steps()
    trainer = make_trainer()
    trainer.fit((X, Y), epochs=9, batch_size=10, callbacks=[calls])
    assert (calls.steps, calls.epochs, calls.ends) == (10, 2, 1)
    assert trainer.stop_reason == "enough"
    trainer.fit((X, Y), epochs=1)
    assert trainer.stop_reason is None


class Scripted(train.Trainer):
    """Pretends these validation losses."""

    values: tuple[float, ...] = (3, 2, 2.5, 1.95, 1.96, 1.97, 0)

    def evaluate(self, data: Any, batch_size: int = 256) -> dict[str, float]:
        return {"loss": self.values[self.epoch - 1]}


@pytest.mark.parametrize(
    ("options", "epochs", "best"),
    [
        ({"patience": 1}, 3, 2),
        ({"patience": 2}, 6, 4),
        ({"patience": 3}, 7, 7),
        ({"patience": 2, "min_delta": 0.1}, 4, 2),
        ({"patience": 1, "min_delta": 1.0}, 2, 1),  # better by just so much is not enough
        ({"patience": 2, "mode": "max"}, 3, 1),
        ({"patience": 2, "restore_best": False}, 6, 4),
    ],
)
def test_early_stopping(options: dict[str, Any], epochs: int, best: int) -> None:
    model = make_model()
    trainer = Scripted(model, nn.CrossEntropyLoss(), train.SGD(model.parameters(), lr=0.1))
    weights = []
    stopping = train.EarlyStopping(**options)

    class Keep(train.Callback):
        def on_epoch_end(self, trainer: train.Trainer) -> None:
            weights.append(trainer.model.state_dict())

    trainer.fit((X, Y), val=(X, Y), epochs=7, callbacks=[stopping, Keep()])
    assert (len(trainer.history), stopping.best_epoch) == (epochs, best)
    assert stopping.best == Scripted.values[best - 1]
    if epochs < 7:
        assert f"has not improved for {options['patience']} epochs" in trainer.stop_reason
    final = model.state_dict()
    kept = best if options.get("restore_best", True) else epochs
    for name, value in weights[kept - 1].items():
        np.testing.assert_array_equal(final[name], value, err_msg=name)


def test_early_stopping_waits_for_five_epochs_unless_told() -> None:
    assert train.EarlyStopping().patience == 5


def test_early_stopping_names_a_missing_column() -> None:
    with pytest.raises(ValueError, match=r"no column 'val_loss'.*was fit called without val"):
        make_trainer().fit((X, Y), epochs=1, callbacks=[train.EarlyStopping()])
    with pytest.raises(ValueError, match="patience: expected a whole number of at least 1"):
        train.EarlyStopping(patience=0)
    with pytest.raises(ValueError, match="mode: expected 'min' or 'max', got 'low'"):
        train.EarlyStopping(mode="low")


def test_the_record_can_be_read() -> None:
    history = train.History()
    assert str(history) == "History(empty)"
    with pytest.raises(ValueError, match="history is empty"):
        history.best()
    history = make_trainer().fit((X, Y), val=(X, Y), epochs=3)
    lines = str(history).splitlines()
    assert lines[0].split()[:3] == ["epoch", "train_loss", "train_accuracy"]
    assert len(lines) == 4
    assert history.best("val_loss")["val_loss"] == min(history["val_loss"])
    assert history.best("val_accuracy", "max")["val_accuracy"] == max(history["val_accuracy"])
    with pytest.raises(KeyError, match="no column 'loss'; it has epoch, train_loss"):
        history["loss"]
    assert train.History()["loss"] == []


def test_the_table() -> None:
    history = train.History()
    history.epochs.append({"epoch": 1, "train_loss": 0.1234567, "lr": 0.01, "seconds": 3.0})
    one = "     epoch  train_loss          lr\n         1     0.12346        0.01"
    assert str(history) == repr(history) == one
    with pytest.raises(KeyError, match="no column 'loss'; it has epoch, train_loss, lr, seconds"):
        history["loss"]
    history.epochs.append({"epoch": 2, "train_loss": 2.0, "val_loss": 1e-7, "lr": 3.0})
    assert str(history).splitlines() == [
        "     epoch  train_loss    val_loss          lr",
        "         1     0.12346                    0.01",
        "         2           2       1e-07           3",
    ]
    assert history["val_loss"] == [1e-7]
    assert history.best("val_loss")["epoch"] == 2


def test_early_stopping_keeps_its_count() -> None:
    first, second = train.EarlyStopping(), train.EarlyStopping()
    second.load_state_dict(first.state_dict())
    assert (second.best, second.best_epoch, second.waited) == (np.inf, 0, 0)
    first.best, first.best_epoch, first.waited = 0.5, 3, 2
    first._weights = {"w": X}
    second.load_state_dict(first.state_dict())
    assert (second.best, second.best_epoch, second.waited) == (0.5, 3, 2)
    assert second.state_dict()["weights"] == {"w": X}


def test_what_fit_and_evaluate_do_unless_told(tmp_path: Path) -> None:
    trainer, x, y = make_trainer(), np.tile(X, (7, 1))[:330], np.tile(Y, 7)[:330]
    trainer.fit((x, y), epochs=1, checkpoint=tmp_path / "run.safetensors")
    assert trainer.step == 11  # batches of 32
    assert 0 <= trainer.history["seconds"][0] < 600
    sizes: list[int] = []
    trainer.metrics = {"size": lambda output, _: sizes.append(len(output)) or 0.0}
    trainer.evaluate((x, y))
    assert sizes == [256, 74]
    trainer.metrics = {}
    trainer.fit((x, y), epochs=1, checkpoint=tmp_path / "run.safetensors")  # it does not resume
    assert trainer.epoch == 2


def test_a_checkpoint_without_schedule_leaves_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    first, second = make_trainer(), make_trainer()
    first.scheduler = None
    first.save(path)
    assert second.scheduler is not None
    second.scheduler.step()
    second.load(path)
    assert second.scheduler.last_epoch == 1
    second.save(path)
    first.load(path)  # and one with a schedule is no trouble where there is none


def test_a_checkpoint_with_callbacks_can_be_read_without_them(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    first, second = make_trainer(), make_trainer(seed=1)
    stopping = train.EarlyStopping(monitor="train_loss")
    first.fit((X, Y), epochs=2, callbacks=[stopping], checkpoint=path)
    second.load(path)
    assert_same(first, second)


def test_clear_errors() -> None:
    trainer = make_trainer()
    with pytest.raises(TypeError, match="used up after one walk"):
        trainer.fit(iter([(X, Y)]), epochs=1)
    with pytest.raises(ValueError, match="there was no batch in this epoch"):
        trainer.fit([], epochs=1)
    with pytest.raises(ValueError, match="schedule_per: expected 'epoch' or 'step', got 'day'"):
        make_trainer(schedule_per="day")


@pytest.mark.parametrize(
    ("logits", "target", "expected"),
    [
        ([[1, 2], [4, 3], [0, 1]], [1, 0, 0], 2 / 3),
        ([0.5, -0.5, 3.0, 0.0], [1, 0, 0, 0], 3 / 4),
        ([[0.5], [-0.5]], [[1], [1]], 1 / 2),
        ([[0.5], [-0.5]], [1, 0], 1.0),
        ([[[1, 0], [0, 1]]], [[0, 0]], 1 / 2),
        ([[[1, 0]], [[0, 1]], [[2, 1]]], [[0], [1], [0]], 1.0),
    ],
)
def test_accuracy(logits: Any, target: Any, expected: float) -> None:
    assert train.accuracy(np.array(logits), np.array(target)) == pytest.approx(expected)


@pytest.mark.parametrize("stop_after", [1, 3])
@pytest.mark.parametrize("source", ["arrays", "loader"])
def test_resumed_is_uninterrupted_to_the_bit(tmp_path: Path, source: str, stop_after: int) -> None:
    def arguments() -> dict[str, Any]:
        batches: Any = (X, Y) if source == "arrays" else data.DataLoader(X, Y, 16, rng=7)
        stopping = train.EarlyStopping(patience=3, monitor="train_loss")
        return {"train": batches, "val": (X, Y), "callbacks": [stopping], "epochs": 6}

    whole = make_trainer()
    whole.fit(**arguments())

    class KilledError(Exception):
        pass

    class Kill(train.Callback):
        def on_step_end(self, trainer: train.Trainer) -> None:
            if trainer.epoch == stop_after + 1:  # in the middle of the next epoch
                raise KilledError

    path = tmp_path / "run.safetensors"
    first = make_trainer()
    call = arguments()
    call["callbacks"].append(Kill())
    with pytest.raises(KilledError):
        first.fit(**call, checkpoint=path, resume=True)

    second = make_trainer(seed=99)  # other weights: all must come from the checkpoint
    call = arguments()
    call["callbacks"].append(train.Callback())
    second.fit(**call, checkpoint=path, resume=True)
    assert_same(whole, second)
    assert second.step == whole.step
    third = make_trainer(seed=98)
    call = arguments()
    call["callbacks"].append(train.Callback())
    third.fit(**call, checkpoint=path, resume=True)  # nothing is left to do
    assert_same(whole, third)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    make_trainer().fit((X, Y), epochs=1, checkpoint=path)
    stopping = train.EarlyStopping(monitor="train_loss")
    with pytest.raises(ValueError, match="holds 0 callbacks, this training has 1"):
        make_trainer().fit((X, Y), epochs=1, callbacks=[stopping], checkpoint=path, resume=True)
    model = nn.Sequential(nn.Linear(4, 2))
    other = train.Trainer(model, nn.CrossEntropyLoss(), train.SGD(model.parameters()))
    with pytest.raises(ValueError, match="holds 2 random, this training has 1"):
        other.load(path)


def test_any_safetensors_reader_finds_the_weights(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    path = tmp_path / "new" / "folder" / "run.safetensors"
    trainer = make_trainer()
    trainer.fit((X, Y), epochs=1, checkpoint=path)
    arrays = load_file(path)
    for name, value in trainer.model.state_dict().items():
        np.testing.assert_array_equal(arrays[f"model.{name}"], value)
    tree = train.load_checkpoint(path)
    assert tree["epoch"] == 1


def test_what_is_no_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no checkpoint at"):
        train.load_checkpoint(tmp_path / "none")
    (tmp_path / "torn").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{")
    with pytest.raises(ValueError, match="is not a readable safetensors file"):
        train.load_checkpoint(tmp_path / "torn")
    nn.interop.save_safetensors(tmp_path / "weights", {"w": X})
    with pytest.raises(ValueError, match="holds tensors but no checkpoint"):
        train.load_checkpoint(tmp_path / "weights")


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
branches = st.lists(leaves, max_size=3) | st.dictionaries(st.text(max_size=5), leaves, max_size=3)
tree_values = leaves | branches | st.lists(branches, max_size=3)


@given(tree=st.dictionaries(st.text(max_size=5), tree_values, max_size=3), shape=st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_save_then_load_is_identity(
    tmp_path_factory: Any, tree: dict[str, Any], shape: int
) -> None:
    path = tmp_path_factory.mktemp("identity") / "tree.safetensors"
    arrays = [np.full((2,) * shape, np.pi), np.arange(4, dtype=np.int64), np.array(True)]
    train.save_checkpoint(path, {"tree": tree, "arrays": {"a": arrays}})
    loaded = train.load_checkpoint(path)
    assert loaded["tree"] == tree
    for a, b in zip(arrays, loaded["arrays"]["a"], strict=True):
        np.testing.assert_array_equal(a, b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "run.safetensors"
    train.save_checkpoint(path, {"epoch": 1})

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(files.os, call, fail)
    with pytest.raises(OSError, match="disk full"):
        train.save_checkpoint(path, {"epoch": 2})
    assert train.load_checkpoint(path) == {"epoch": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


KILLED = """
import os, sys
import numpy as np
from ffcourse import train
from ffcourse.nn import files
path = sys.argv[1]
train.save_checkpoint(path, {"epoch": 1, "w": np.ones(1000)})
real_open = files.Path.open
class Torn:
    def __init__(self, file): self.file = file
    def __enter__(self): return self
    def __exit__(self, *a): return self.file.__exit__(*a)
    def write(self, data):
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        os._exit(9)     # as a kill: no clean-up runs
files.Path.open = lambda self, mode: Torn(real_open(self, mode))
train.save_checkpoint(path, {"epoch": 2, "w": np.zeros(1000)})
"""


def test_killed_while_writing_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], cwd=ROOT, check=False, capture_output=True
    )
    assert done.returncode == 9, done.stderr.decode()
    loaded = train.load_checkpoint(path)
    assert loaded["epoch"] == 1
    np.testing.assert_array_equal(loaded["w"], 1.0)


def test_the_progress_bar_is_only_for_terminals(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_trainer().fit((X, Y), epochs=2)
    assert capfd.readouterr() == ("", "")
    monkeypatch.setenv("FFCOURSE_NBVAL", "1")
    make_trainer().fit((X, Y), epochs=2, progress=True)
    assert capfd.readouterr() == ("", "")
    monkeypatch.delenv("FFCOURSE_NBVAL")
    make_trainer().fit([(X, Y)], epochs=2, progress=True)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "epoch 1/2" in shown.err
