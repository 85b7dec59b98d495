"""The training loop: forward, loss, backward, step; again and again, and what belongs around it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ffcourse.data.check import as_rng
from ffcourse.nn.module import Array, Module
from ffcourse.train.callbacks import Callback
from ffcourse.train.checkpoint import load_checkpoint, save_checkpoint
from ffcourse.train.checks import at_least, check_extras, check_parts, check_trains, positive
from ffcourse.train.clip import clip_grad_norm
from ffcourse.train.gradcheck import generators
from ffcourse.train.history import History
from ffcourse.train.optimizer import Optimizer
from ffcourse.train.passes import (
    Batches,
    Means,
    evaluating,
    number_of_batches,
    rows_of_batch,
    walk,
)
from ffcourse.train.progress import ProgressBar
from ffcourse.train.schedules import Schedule
from ffcourse.train.threads import sensible_threads
from ffcourse.train.watchdog import Step, Watchdog

Metric = Callable[[Array, Array], float]
Data = Batches | tuple[Array, Array]


class Trainer:
    """Trains a model on mini-batches, watches it, and keeps a record.

    Parameters
    ----------
    model : Module
        What is trained.
    loss_fn : loss
        ``loss_fn(output, target)`` is a number, ``loss_fn.backward()`` its gradient.
    optimizer : Optimizer
        Made for the parameters of `model`, or for some of them.
    scheduler : Schedule, optional
        Changes the learning rate.
    schedule_per : {"epoch", "step"}
        When the schedule goes one step on: after each epoch, or after each mini-batch.
    metrics : mapping of str to function, optional
        ``{"accuracy": train.accuracy}``: functions of (output, target), averaged like the loss.
    penalties : sequence of L1Penalty or L2Penalty
        Pull on the weights; the losses in the history are without them.
    clip_norm : float, optional
        Longest gradient allowed; see `clip_grad_norm`.
    rng : Generator, optional
        Shuffles, if ``fit`` is given whole arrays. By default seeded with 0.

    Attributes
    ----------
    history : History
        One record per epoch.
    epoch, step : int
        Epochs and mini-batches done so far.
    stop_reason : str or None
        Why the last ``fit`` ended early.

    Examples
    --------
    >>> trainer = train.Trainer(model, nn.CrossEntropyLoss(), train.Adam(model.parameters()))
    >>> history = trainer.fit((X_train, y_train), val=(X_val, y_val), epochs=20)
    """

    def __init__(
        self,
        model: Module,
        loss_fn: Any,
        optimizer: Optimizer,
        scheduler: Schedule | None = None,
        *,
        schedule_per: str = "epoch",
        metrics: Mapping[str, Metric] | None = None,
        penalties: Sequence[Any] = (),
        clip_norm: float | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        if schedule_per not in ("epoch", "step"):
            raise ValueError(f"schedule_per: expected 'epoch' or 'step', got {schedule_per!r}")
        check_parts(model, loss_fn, optimizer, scheduler)
        check_extras({} if metrics is None else metrics, penalties)
        if clip_norm is not None:
            positive("clip_norm", clip_norm)
        self.model, self.loss_fn, self.optimizer = model, loss_fn, optimizer
        self.scheduler, self.schedule_per = scheduler, schedule_per
        self.metrics = dict(metrics or {})
        self.penalties = list(penalties)
        self.clip_norm = clip_norm
        self.rng = as_rng(0 if rng is None else rng)
        self.history = History()
        self.epoch = 0
        self.step = 0
        self.stop_reason: str | None = None
        self._goal = 0  # the epoch at which the present call of fit ends
        self._callbacks: list[Callback] = []
        self._loader_rng: np.random.Generator | None = None

    def __repr__(self) -> str:
        parts = (self.model, self.loss_fn, self.optimizer)
        kinds = ", ".join(type(part).__name__ for part in parts)
        return f"Trainer({kinds}; epoch={self.epoch}, step={self.step})"

    def fit(
        self,
        train: Data,
        val: Data | None = None,
        *,
        epochs: int,
        batch_size: int = 32,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
    ) -> History:
        """Train for `epochs` epochs more.

        Parameters
        ----------
        train : DataLoader, Dataset, or (X, y)
            Anything that can be walked once per epoch and yields (x, y) batches. Whole arrays are
            cut into batches of `batch_size`, shuffled anew each epoch.
        val : DataLoader, Dataset, or (X, y), optional
            Evaluated after each epoch, in evaluation mode.
        epochs : int
            How often to go through `train`.
        batch_size : int
            For whole arrays.
        callbacks : sequence of Callback
            `EarlyStopping` among them.
        checkpoint : path, optional
            Written after every epoch.
        resume : bool
            If the checkpoint exists, go on with the call of ``fit`` that wrote it: what was done
            there is not done again. The result is that of an uninterrupted run, to the bit.
        progress : bool, optional
            Show a progress bar; by default in a terminal only.

        Returns
        -------
        History
            All epochs so far, those of earlier calls too.

        Raises
        ------
        NonFiniteError
            If the loss is NaN or infinite; it tells the step and the layer where that began.
        """
        at_least("epochs", epochs, 0)
        at_least("batch_size", batch_size)
        check_extras({}, (), callbacks)
        check_trains(self.model, self.optimizer)
        self._callbacks = list(callbacks)
        self._loader_rng = getattr(train, "rng", None)
        self._goal = self.epoch + epochs
        self.stop_reason = None
        if resume and checkpoint is not None and Path(checkpoint).is_file():
            self.load(checkpoint)
        if not self.model.training:
            self.model.train()  # else leave it: a layer may be in evaluation mode on purpose
        rows = rows_of_batch(train, batch_size)
        bar = ProgressBar(self.epoch, self._goal, progress)
        quiet = np.errstate(over="ignore", invalid="ignore")  # the watchdog tells it better
        with sensible_threads(self.model, rows), quiet, bar:
            while self.epoch < self._goal and self.stop_reason is None:
                try:
                    self._run_epoch(train, val, batch_size, bar)
                finally:
                    self.epoch = len(self.history)  # one that was broken off does not count
                if checkpoint is not None:
                    self.save(checkpoint)
        for callback in self._callbacks:
            callback.on_fit_end(self)
        return self.history

    def stop(self, reason: str) -> None:
        """End the training after this epoch; for callbacks."""
        self.stop_reason = reason

    def evaluate(self, data: Data, batch_size: int = 256) -> dict[str, float]:
        """Return the mean loss and metrics over `data`, in evaluation mode."""
        means = Means()
        with evaluating(self.model):
            for x, y in walk(data, batch_size, None):
                output = self.model(x)
                means.add(len(x), self._measured(output, y, self.loss_fn(output, y)))
        return means.result()

    def _run_epoch(self, train: Data, val: Data | None, batch_size: int, bar: ProgressBar) -> None:
        started = time.perf_counter()
        self.epoch += 1
        means = Means()
        dog = Watchdog(self.model, self.loss_fn)
        steps = number_of_batches(train, batch_size)
        for i, (x, y) in enumerate(walk(train, batch_size, self.rng), start=1):
            output, loss = self._train_step(x, y, dog)
            means.add(len(x), self._measured(output, y, loss))
            self.history.step_loss.append(loss)
            for callback in self._callbacks:
                callback.on_step_end(self)
            bar.update(self.epoch, i / steps if steps else 0.0, loss)
        record = {"epoch": self.epoch, **means.result("train_")}
        if val is not None:
            record |= {f"val_{name}": value for name, value in self.evaluate(val).items()}
        record["lr"] = self.optimizer.param_groups[0]["lr"]
        record["seconds"] = time.perf_counter() - started
        self.history.epochs.append(record)
        if self.scheduler is not None and self.schedule_per == "epoch":
            self.scheduler.step()
        for callback in self._callbacks:
            callback.on_epoch_end(self)

    def _train_step(self, x: Array, y: Array, dog: Watchdog) -> tuple[Array, float]:
        self.step += 1
        step = Step(self.step, self.epoch, x, y, self.optimizer.param_groups[0]["lr"])
        dog.before_step()
        output = self.model(x)
        loss = float(self.loss_fn(output, y))
        dog.check_loss(loss, step)
        self.optimizer.zero_grad()
        self.model.backward_params(self.loss_fn.backward())
        for penalty in self.penalties:
            penalty.backward()
        dog.check_gradients(step)
        if self.clip_norm is not None:
            clip_grad_norm(self.optimizer.parameters(), self.clip_norm)
        self.optimizer.step()
        if self.scheduler is not None and self.schedule_per == "step":
            self.scheduler.step()
        return output, loss

    def _measured(self, output: Array, y: Array, loss: float) -> dict[str, float]:
        return {"loss": loss, **{name: f(output, y) for name, f in self.metrics.items()}}

    # Checkpoints

    def save(self, path: str | Path) -> None:
        """Write a checkpoint: weights, optimizer, schedule, random states, history, callbacks."""
        tree = {
            "version": 1,
            "epoch": self.epoch,
            "step": self.step,
            "goal": self._goal,
            "stop_reason": self.stop_reason,
            "history": self.history.state_dict(),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler else None,
            "callbacks": [callback.state_dict() for callback in self._callbacks],
            "random": [g.bit_generator.state for g in self._generators()],
        }
        save_checkpoint(path, tree)

    def load(self, path: str | Path) -> None:
        """Go back to the state that ``save`` wrote.

        Raises
        ------
        ValueError
            If it is not a checkpoint of a training put together like this one.
        """
        saved = load_checkpoint(path)
        if not isinstance(saved, dict) or "random" not in saved:
            raise ValueError(f"{path}: expected a checkpoint that Trainer.save wrote")
        for part, ours in (("callbacks", self._callbacks), ("random", self._generators())):
            if len(saved[part]) != len(ours) and (ours or part == "random"):
                raise ValueError(
                    f"{path}: the checkpoint holds {len(saved[part])} {part}, this training has "
                    f"{len(ours)}; build model, loader and callbacks as in the saved run"
                )
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.scheduler is not None and saved["scheduler"] is not None:
            self.scheduler.load_state_dict(saved["scheduler"])
        for callback, state in zip(self._callbacks, saved["callbacks"], strict=False):
            callback.load_state_dict(state)
        for generator, state in zip(self._generators(), saved["random"], strict=True):
            generator.bit_generator.state = state
        self.history.load_state_dict(saved["history"])
        self.epoch, self.step, self._goal = saved["epoch"], saved["step"], saved["goal"]
        self.stop_reason = saved["stop_reason"]

    def _generators(self) -> list[np.random.Generator]:
        """List every source of chance in this training: shuffling, and layers such as dropout."""
        loader = [self._loader_rng] if self._loader_rng is not None else []
        return [self.rng, *loader, *generators(self.model)]
