"""The progress bar: what it shows, and how often."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ffcourse import nn, train
from ffcourse.train import progress, trainer
from ffcourse.train.progress import ProgressBar


class Rich:
    """Stands in for rich's Progress, and for the clock."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.now = 0.5

    def __call__(self, *_: Any, **__: Any) -> Rich:
        return self

    def add_task(self, text: str, total: float) -> int:
        self.log.append(("task", text, total))
        return 5

    def update(self, task: int, completed: float, description: str) -> None:
        self.log.append((task, completed, description))

    def start(self) -> None:
        self.log.append("start")

    def refresh(self) -> None:
        self.log.append("refresh")

    def stop(self) -> None:
        self.log.append("stop")


@pytest.fixture
def rich(monkeypatch: pytest.MonkeyPatch) -> Rich:
    made = Rich()
    monkeypatch.delenv("FFCOURSE_NBVAL", raising=False)
    monkeypatch.setattr("rich.progress.Progress", made)
    monkeypatch.setattr(progress.time, "monotonic", lambda: made.now)
    return made


def test_it_shows_epoch_share_and_loss_ten_times_a_second(rich: Rich) -> None:
    with ProgressBar(2, 5, show=True) as bar:
        bar.update(3, 0.5, 1.23456)
        rich.now += 0.09
        bar.update(3, 0.6, 1.1)
        rich.now += 0.02
        bar.update(4, 0.25, 1.0)
    assert rich.log == [
        ("task", "starting", 3),
        "start",
        (5, 0.5, "epoch 3/5  loss 1.235"),
        "refresh",
        (5, 1.25, "epoch 4/5  loss 1"),
        "refresh",
        "refresh",
        "stop",
    ]


def test_the_output_of_a_script_stays_clean(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FFCOURSE_NBVAL", raising=False)
    with ProgressBar(0, 1, show=True) as bar:
        bar.update(1, 0.5, 1.0)
    out, err = capsys.readouterr()
    assert out == ""
    assert "epoch 1/1" in err


@pytest.mark.parametrize(("terminal", "shown"), [(True, True), (False, False)])
def test_by_default_it_is_for_terminals(
    rich: Rich, monkeypatch: pytest.MonkeyPatch, terminal: bool, shown: bool
) -> None:
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: terminal, raising=False)
    with ProgressBar(0, 1) as bar:
        bar.update(1, 1.0, 0.0)
    assert bool(rich.log) == shown
    rich.log.clear()
    with ProgressBar(0, 1, show=False) as bar:
        bar.update(1, 1.0, 0.0)
    assert not rich.log


def test_the_loop_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class Spy(ProgressBar):
        def update(self, epoch: int, share: float, loss: float) -> None:
            seen.append((epoch, share))
            assert loss == run.history.step_loss[-1]

    monkeypatch.setattr(trainer, "ProgressBar", Spy)
    X, y = np.ones((10, 2), np.float32), np.zeros(10, int)
    model = nn.Sequential(nn.Linear(2, 2))
    run = train.Trainer(model, nn.CrossEntropyLoss(), train.SGD(model.parameters()))
    run.fit((X, y), epochs=2, batch_size=4)
    assert seen == [(e, i / 3) for e in (1, 2) for i in (1, 2, 3)]
    seen.clear()
    run.fit([(X, y)] * 4, epochs=1)
    assert seen == [(3, i / 4) for i in (1, 2, 3, 4)]
    seen.clear()

    class Unknown:
        def __iter__(self) -> Any:
            return iter([(X, y)] * 2)

    run.fit(Unknown(), epochs=1)
    assert seen == [(4, 0.0), (4, 0.0)]


def test_a_tenth_of_a_second_later_it_is_drawn_again(rich: Rich) -> None:
    with ProgressBar(0, 1, show=True) as bar:
        bar.update(1, 0.5, 1.0)
        rich.now += 0.1
        bar.update(1, 0.6, 1.0)
    assert [entry[1] for entry in rich.log if entry[0] == 5] == [0.5, 0.6]
