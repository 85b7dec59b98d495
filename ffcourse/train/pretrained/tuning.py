"""Fine-tuning in five ways, always by the same protocol, so that they can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ffcourse import nn
from ffcourse.nn.module import Array, Module
from ffcourse.train.adam import Adam
from ffcourse.train.callbacks import EarlyStopping
from ffcourse.train.optimizer import Optimizer
from ffcourse.train.pretrained import recipe
from ffcourse.train.trainer import Trainer

METHODS = ("from scratch", "head only", "last two layers", "all layers", "LoRA")
# Learning rates of Adam, chosen on the validation names of a seed that is not reported.
RATES = {
    "from scratch": 1e-3,
    "head only": 1e-3,
    "last two layers": 5e-4,
    "all layers": 5e-4,
    "LoRA": 2e-3,
}
RANK = 8


def layers_of(model: nn.Sequential) -> list[Module]:
    """Return the layers that have parameters, the input's first."""
    return [layer for layer in model if layer.parameters()]


def choose_trained(model: nn.Sequential, method: str, rng: np.random.Generator) -> nn.Sequential:
    """Freeze what `method` leaves alone; for LoRA, put the thin matrices in."""
    if method == "LoRA":
        nn.add_lora(model, r=RANK, alpha=2 * RANK, rng=rng)
        return model
    free = {"head only": 1, "last two layers": 2}.get(method, len(model))
    model.freeze()
    for layer in layers_of(model)[-free:]:
        layer.unfreeze()
    return model


def groups(model: nn.Sequential, lr: float, factor: float) -> list[dict[str, Any]]:
    """Return parameter groups for an optimizer: `lr` for the head, `factor` times less below it.

    Parameters
    ----------
    model : Sequential
        Its layers with parameters get one group each.
    lr : float
        Learning rate of the last of them.
    factor : float
        1 gives all layers the same rate; 0.3 gives each layer 0.3 of the rate above it.
    """
    layers = layers_of(model)
    return [
        {"params": layer.parameters(), "lr": lr * factor ** (len(layers) - 1 - depth)}
        for depth, layer in enumerate(layers)
    ]


class Rows(NamedTuple):
    """Contexts and next characters of some names; the last `n_val` rows tell when to stop."""

    X: Array
    y: Array
    n_val: int


def rows_of(names: Sequence[str] | Array) -> Rows:
    """Cut `names` into rows; the last fifth of the names, at least one, is for validation."""
    vocabulary = recipe.alphabet()
    X, y = vocabulary.contexts(names, recipe.CONTEXT)
    kept = names[-max(1, len(names) // 5) :]
    return Rows(X, y, len(vocabulary.contexts(kept, recipe.CONTEXT)[0]))


def fit(
    model: nn.Sequential,
    rows: Rows,
    optimizer: Optimizer,
    *,
    epochs: int = 100,
    patience: int = 6,
    batch_size: int = 32,
    seed: int = 0,
) -> nn.Sequential:
    """Train until the validation rows have not improved for `patience` epochs; keep the best."""
    X, y, n_val = rows
    rng = np.random.default_rng(seed)
    trainer = Trainer(model, nn.CrossEntropyLoss(), optimizer, rng=rng)
    trainer.fit(
        (X[:-n_val], y[:-n_val]),
        val=(X[-n_val:], y[-n_val:]),
        epochs=epochs,
        batch_size=batch_size,
        callbacks=[EarlyStopping(patience=patience)],
        progress=False,
    )
    model.eval()
    return model


def tune_names(
    start: nn.Sequential,
    names: Sequence[str] | Array,
    method: str,
    *,
    seed: int = 0,
    lr: float | None = None,
    epochs: int = 100,
) -> nn.Sequential:
    """Fine-tune `start` on `names`; every fifth name only tells when to stop.

    Parameters
    ----------
    start : Sequential
        The pre-trained network; is changed. "from scratch" takes its random weights from `seed`
        instead.
    names : array of str
        All names that may be used.
    method : str
        One of `METHODS`.
    seed : int
        Order of the batches, and first values of what is new.
    lr : float, optional
        By default that of `RATES`.
    epochs : int
        At most.
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    rng = np.random.default_rng(seed)
    model = recipe.names_model(1000 + seed) if method == "from scratch" else start
    dtype = start.parameters()[0].data.dtype
    model.to(dtype)
    choose_trained(model, method, rng)
    params = [p for p in model.parameters() if p.requires_grad]
    optimizer = Adam(params, lr=RATES[method] if lr is None else lr)
    size = 32 if len(names) <= 400 else 128
    return fit(model, rows_of(names), optimizer, epochs=epochs, batch_size=size, seed=seed)
