"""What happened during training: one record per epoch."""

from __future__ import annotations

from typing import Any


class History:
    """Losses, metrics and learning rates, epoch by epoch; prints as a table.

    ``history["val_loss"]`` is the list of one column over all epochs.

    Attributes
    ----------
    epochs : list of dict
        A record for each epoch: ``epoch`` (from 1), ``train_loss``, ``val_loss``, metrics with the
        same prefixes, ``lr`` of the first parameter group, ``seconds``.
    step_loss : list of float
        The loss of every mini-batch.
    """

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []
        self.step_loss: list[float] = []

    def __getitem__(self, column: str) -> list[float]:
        if self.epochs and column not in self.epochs[-1]:
            known = ", ".join(self.epochs[-1])
            raise KeyError(f"history has no column {column!r}; it has {known}")
        return [record[column] for record in self.epochs if column in record]

    def __len__(self) -> int:
        return len(self.epochs)

    def best(self, column: str = "val_loss", mode: str = "min") -> dict[str, float]:
        """Return the record of the epoch in which `column` was smallest, or largest ("max")."""
        if not self.epochs:
            raise ValueError("history is empty: nothing was trained yet")
        if mode not in ("min", "max"):
            raise ValueError(f"mode: expected 'min' or 'max', got {mode!r}")
        self[column]  # an unknown column is told here
        pick = min if mode == "min" else max
        return pick((r for r in self.epochs if column in r), key=lambda r: r[column])

    def state_dict(self) -> dict[str, Any]:
        """Return everything as lists and dicts, fit for JSON."""
        return {"epochs": [dict(r) for r in self.epochs], "step_loss": list(self.step_loss)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        self.epochs = [dict(r) for r in state["epochs"]]
        self.step_loss = list(state["step_loss"])

    def __str__(self) -> str:
        if not self.epochs:
            return "History(empty)"
        columns = [c for c in self.epochs[-1] if c != "seconds"]
        widths = [max(len(c), 10) for c in columns]
        lines = ["  ".join(c.rjust(w) for c, w in zip(columns, widths, strict=True))]
        for record in self.epochs:
            cells = (_cell(record.get(c)).rjust(w) for c, w in zip(columns, widths, strict=True))
            lines.append("  ".join(cells))
        return "\n".join(lines)

    __repr__ = __str__


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.5g}"
