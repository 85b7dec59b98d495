"""NaN and infinity: training stops, and says in which step and layer it began."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ffcourse import nn, train
from ffcourse.train.nonfinite import is_finite, trace_step

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
Y = np.arange(12) % 2


class Trap(nn.Module):
    """Passes everything on, until a step at which it makes a NaN, forward or backward."""

    def __init__(self, at: int, where: str) -> None:
        self.at, self.where, self.calls = at, where, 0

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.calls += 1
        return x * np.nan if self.where == "forward" and self.calls >= self.at else x

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad * np.nan if self.where == "backward" and self.calls >= self.at else grad


def trainer(model: nn.Module, lr: float = 0.1, **options: Any) -> train.Trainer:
    optimizer = train.SGD(model.parameters(), lr=lr)
    return train.Trainer(model, nn.CrossEntropyLoss(), optimizer, **options)


@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("at", [1, 5])
@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_the_layer_and_the_step_are_named(where: str, at: int, clip_norm: float | None) -> None:
    inner = nn.Sequential(nn.Linear(3, 3), Trap(at, where), nn.Linear(3, 3))
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), inner, nn.Dropout(0.2), nn.Linear(3, 2))
    run = trainer(model, clip_norm=clip_norm)
    with pytest.raises(train.NonFiniteError) as caught:
        run.fit((X, Y), epochs=3, batch_size=4)
    error = caught.value
    assert (error.where, error.layer, error.step, error.epoch) == (where, "2.1", at, 1 + at // 4)
    assert str(error).startswith(f"Training stopped in step {at} (epoch {error.epoch})")
    assert f"It began in step {at}, in the {where} pass: " in str(error)
    assert "`2.1` (Trap)" in str(error)
    assert "Try a smaller learning rate (it is 0.1), clip_norm=1.0" in str(error)
    assert isinstance(error, FloatingPointError)
    assert all(np.isfinite(p.data).all() for p in model.parameters())  # stopped before the step


def test_a_weight_gradient_that_overflows_in_the_first_layer() -> None:
    """Nothing upstream is wrong; the product of input and gradient is too large."""
    model = nn.Sequential(nn.Linear(3, 2, bias=False))
    model[0].weight.data[...] = 0
    x = np.full((4, 3), 1e30, np.float32)
    loss = nn.MSELoss("sum")
    run = train.Trainer(model, loss, train.SGD(model.parameters(), lr=1.0))
    with pytest.raises(train.NonFiniteError) as caught:
        run.fit([(x, np.full((4, 2), 1e10, np.float32))], epochs=2)
    assert (caught.value.where, caught.value.layer, caught.value.step) == ("backward", "0", 1)
    assert "the gradient of `weight` in `0` (Linear)" in str(caught.value)


def test_an_update_that_overflows() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    run = trainer(model, lr=1e39)
    with pytest.raises(train.NonFiniteError) as caught:
        run.fit((X, Y), epochs=1, batch_size=4)
    error = caught.value
    assert (error.where, error.layer, error.step) == ("update", "0", 1)
    assert "Training stopped in step 2 (epoch 1): the loss is nan. It began in step 1" in str(error)
    assert "the new value of `0.weight` (Linear)" in str(error)


def test_gradients_found_afterwards() -> None:
    """A gradient went wrong where the watch does not look: beside the path to the first layer."""

    class Side(nn.Linear):
        def backward(self, grad: np.ndarray) -> np.ndarray:
            dx = super().backward(grad)
            self.bias.grad = self.bias.grad + np.inf
            return dx

    model = nn.Sequential(nn.Linear(3, 4), Side(4, 2))
    with pytest.raises(train.NonFiniteError) as caught:
        trainer(model).fit((X, Y), epochs=1, batch_size=4)
    assert (caught.value.where, caught.value.layer, caught.value.step) == ("backward", "1", 1)
    assert "the gradient of `1.bias` (Side)" in str(caught.value)


def test_the_input_is_to_blame() -> None:
    x = X.copy()
    x[5, 1] = np.nan
    with pytest.raises(train.NonFiniteError) as caught:
        trainer(nn.Sequential(nn.Linear(3, 2))).fit([(X, Y), (x, Y)], epochs=1)
    error = caught.value
    assert (error.where, error.layer, error.step) == ("input", "", 2)
    assert "before the network: the input batch itself" in str(error)
    assert "np.isfinite(X).all() must be true" in str(error)


def test_the_loss_is_to_blame() -> None:
    model = nn.Sequential(nn.Linear(3, 1))
    model[0].weight.data[...] = 0
    model[0].weight.data[0] = 4  # so that outputs differ
    model[0].bias.data[...] = -12
    y = np.full((12, 1), 1e30, np.float32)
    run = train.Trainer(model, nn.MSELoss(), train.SGD(model.parameters()))
    with pytest.raises(train.NonFiniteError) as caught:
        run.fit([(X, y)], epochs=1)
    assert (caught.value.where, caught.value.layer) == ("loss", "")
    assert f"MSELoss of outputs as large as {np.abs(model(X)).max():.2g} was" in str(caught.value)
    assert "Look at the targets" in str(caught.value)


def test_the_gradient_of_the_loss_is_to_blame() -> None:
    class Bad(nn.MSELoss):
        def backward(self) -> np.ndarray:
            return super().backward() * np.nan

    model = nn.Sequential(nn.Linear(3, 1))
    run = train.Trainer(model, Bad(), train.SGD(model.parameters()))
    with pytest.raises(train.NonFiniteError, match="the gradient of Bad was the first"):
        run.fit([(X, np.ones((12, 1), np.float32))], epochs=1)


def test_dropout_is_replayed_with_the_same_mask() -> None:
    class Picky(nn.Module):
        """Cannot bear one certain pattern of zeros."""

        def forward(self, x: np.ndarray) -> np.ndarray:
            return x * np.nan if (x[0] == 0).sum() == 3 else x

        def backward(self, grad: np.ndarray) -> np.ndarray:
            return grad

    model = nn.Sequential(nn.Dropout(0.5, rng=np.random.default_rng(2)), Picky(), nn.Linear(3, 2))
    with pytest.raises(train.NonFiniteError) as caught:
        trainer(model).fit((X, Y), epochs=50, batch_size=4)
    assert (caught.value.where, caught.value.layer) == ("forward", "1")


def test_what_does_not_happen_again_is_told() -> None:
    class Once(nn.Module):
        calls = 0

        def forward(self, x: np.ndarray) -> np.ndarray:
            Once.calls += 1
            return x * np.nan if Once.calls == 1 else x

        def backward(self, grad: np.ndarray) -> np.ndarray:
            return grad

    with pytest.raises(train.NonFiniteError, match="when the step was run again") as caught:
        trainer(nn.Sequential(nn.Linear(3, 2), Once())).fit((X, Y), epochs=1)
    assert (caught.value.where, caught.value.layer) == ("unknown", "")


def test_tracing_changes_nothing() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), Trap(1, "backward"), nn.Linear(4, 2))
    before = model.state_dict()
    for p in model.parameters():
        p.grad = np.ones_like(p.data)
    methods = [vars(c).get(m) for c in (nn.Linear, Trap) for m in ("forward", "backward")]
    origin = trace_step(model, nn.CrossEntropyLoss(), X, Y)
    assert origin is not None
    assert origin.layer == "2"
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    for p in model.parameters():
        np.testing.assert_array_equal(p.grad, 1)
    assert methods == [vars(c).get(m) for c in (nn.Linear, Trap) for m in ("forward", "backward")]


def test_a_sound_step_has_no_origin() -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    assert trace_step(model, nn.CrossEntropyLoss(), X, Y) is None


def test_frozen_first_layers_do_not_blind_the_watch() -> None:
    model = nn.Sequential(
        nn.Linear(3, 3).freeze(), nn.Linear(3, 3), Trap(3, "backward"), nn.Linear(3, 2)
    )
    with pytest.raises(train.NonFiniteError) as caught:
        trainer(model).fit((X, Y), epochs=3, batch_size=4)
    assert (caught.value.layer, caught.value.step) == ("2", 3)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, True),
        (np.nan, False),
        (None, True),
        (np.array([1, 2]), True),
        (np.array([1.0, -np.inf]), False),
        ((np.ones(2), (np.ones(1), np.array([np.nan]))), False),
        ((np.ones(2), np.ones(3)), True),
    ],
)
def test_is_finite(value: Any, expected: bool) -> None:
    assert is_finite(value) == expected
