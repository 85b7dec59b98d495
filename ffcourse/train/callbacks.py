"""What can be hooked into the training loop, and early stopping, the hook that everyone needs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ffcourse.nn.module import Array
from ffcourse.train.checks import at_least, not_negative

if TYPE_CHECKING:
    from ffcourse.train.trainer import Trainer


class Callback:
    """Base class: override what you need. ``trainer.stop(reason)`` ends the training."""

    def on_step_end(self, trainer: Trainer) -> None:
        """After each mini-batch; its loss is ``trainer.history.step_loss[-1]``."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """After each epoch; its record is ``trainer.history.epochs[-1]``."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """After the last epoch."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint must keep: JSON values and arrays, nested as you like."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""


class EarlyStopping(Callback):
    """Stop when the validation loss has not improved for some epochs; go back to the best weights.

    Parameters
    ----------
    patience : int
        Epochs without improvement that are borne.
    monitor : str
        Column of the history.
    min_delta : float
        An improvement must be larger than this.
    mode : {"min", "max"}
        Whether small or large values are good.
    restore_best : bool
        False keeps the last weights.

    Attributes
    ----------
    best : float
        The best value so far.
    best_epoch : int
        Its epoch, counted from 1; 0 before the first.
    """

    def __init__(
        self,
        patience: int = 5,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        mode: str = "min",
        restore_best: bool = True,
    ) -> None:
        at_least("patience", patience)
        not_negative("min_delta", min_delta)
        if mode not in ("min", "max"):
            raise ValueError(f"mode: expected 'min' or 'max', got {mode!r}")
        self.patience, self.monitor, self.min_delta = patience, monitor, min_delta
        self.mode, self.restore_best = mode, restore_best
        self.best = math.inf if mode == "min" else -math.inf
        self.best_epoch = 0
        self.waited = 0
        self._weights: dict[str, Array] = {}

    def __repr__(self) -> str:
        best = f"; best {self.best:.5g} in epoch {self.best_epoch}" if self.best_epoch else ""
        return f"EarlyStopping(patience={self.patience}, monitor={self.monitor!r}{best})"

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Compare with the best epoch so far."""
        record = trainer.history.epochs[-1]
        if self.monitor not in record:
            raise ValueError(
                f"monitor: the history has no column {self.monitor!r}, it has "
                f"{', '.join(record)}; was fit called without val?"
            )
        value = record[self.monitor]
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta:
            self.best, self.best_epoch, self.waited = value, int(record["epoch"]), 0
            if self.restore_best:
                self._weights = trainer.model.state_dict()
            return
        self.waited += 1
        if self.waited >= self.patience:
            trainer.stop(
                f"{self.monitor} has not improved for {self.waited} epochs; "
                f"the best was {self.best:.5g} in epoch {self.best_epoch}"
            )

    def on_fit_end(self, trainer: Trainer) -> None:
        """Put the best weights back."""
        if self._weights:
            trainer.model.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        """Return the best value, the count, and the best weights."""
        best = None if math.isinf(self.best) else self.best
        counts = {"best": best, "best_epoch": self.best_epoch, "waited": self.waited}
        return {**counts, "weights": self._weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        if state["best"] is not None:
            self.best = state["best"]
        self.best_epoch, self.waited = state["best_epoch"], state["waited"]
        self._weights = dict(state["weights"])
