"""Small models run their matrix products on one thread."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from ffcourse import data, nn, train
from ffcourse.train import threads
from ffcourse.train.passes import rows_of_batch
from ffcourse.train.threads import sensible_threads


class Controller:
    """Stands in for threadpoolctl's."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def limit(self, **how: Any) -> Any:
        from contextlib import contextmanager

        @contextmanager
        def block() -> Any:
            self.log.append(how)
            yield
            self.log.append("end")

        return block()


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> Controller:
    made = Controller()
    monkeypatch.setattr(threads, "_controller", lambda: made)
    return made


ONE = [{"limits": 1, "user_api": "blas"}, "end"]


@pytest.mark.parametrize(
    ("width", "batch", "expected"), [(100, 799, ONE), (100, 800, []), (10, 7999, ONE)]
)
def test_the_largest_product_decides(
    controller: Controller, width: int, batch: int, expected: list[Any]
) -> None:
    model = nn.Sequential(nn.Linear(3, width), nn.Linear(width, 100), nn.Linear(100, 2))
    with sensible_threads(model, batch):
        pass
    assert controller.log == expected


def test_vectors_take_part_in_no_product(controller: Controller) -> None:
    with sensible_threads(nn.LayerNorm(9_000_000), 1):
        pass
    assert controller.log == ONE


@pytest.mark.parametrize("loader", [True, False])
def test_the_loop_asks(controller: Controller, loader: bool) -> None:
    X, y = np.ones((900, 100), np.float32), np.zeros(900, int)
    model = nn.Sequential(nn.Linear(100, 100), nn.Linear(100, 2))
    for size, expected in ((799, ONE), (800, [])):
        controller.log.clear()
        run = train.Trainer(model, nn.CrossEntropyLoss(), train.SGD(model.parameters()))
        if loader:
            run.fit(data.DataLoader(X, y, size), epochs=1)
        else:
            run.fit((X, y), epochs=1, batch_size=size)
        assert controller.log == expected


@pytest.mark.parametrize("loader", [True, False])
@pytest.mark.parametrize(
    ("X", "rows"),
    [
        (np.ones((6, 7), np.float32), 4),  # examples
        (np.ones((6, 3, 7), np.float32), 12),  # sequences of three tokens
        (np.ones((6, 3), int), 12),  # the same, as numbers of tokens
        (np.ones(6, np.float32), 4),
        (np.ones((6, 1, 8, 9), np.float32), 32),  # images: rows of pixels
    ],
)
def test_tokens_count_as_rows(X: Any, rows: int, loader: bool) -> None:
    y = np.zeros(6, int)
    given = data.DataLoader(X, y, 4) if loader else (X, y)
    assert rows_of_batch(given, 99 if loader else 4) == rows


def test_of_a_loader_that_shows_no_arrays_the_batch_counts() -> None:
    assert rows_of_batch([(X, 0) for X in np.ones((5, 2))], 7) == 7


def test_without_threadpoolctl_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    threads._controller.cache_clear()
    try:
        assert threads._controller() is None
        with sensible_threads(nn.Linear(2, 2), 1):
            pass
    finally:
        threads._controller.cache_clear()


def test_with_threadpoolctl_the_number_changes() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl", reason="threadpoolctl is not installed")

    def number() -> list[int]:
        info = threadpoolctl.threadpool_info()
        return [lib["num_threads"] for lib in info if lib["user_api"] == "blas"]

    threads._controller.cache_clear()
    before = number()
    with sensible_threads(nn.Linear(2, 2), 1):
        assert set(number()) <= {1}
    assert number() == before
