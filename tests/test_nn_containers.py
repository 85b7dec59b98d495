"""Sequential, Residual, and replacing modules."""

from __future__ import annotations

import numpy as np
import pytest

from ffcourse import nn
from tests.nn_checks import check_module

rng = np.random.default_rng(0)


def mlp() -> nn.Sequential:
    r = np.random.default_rng(1)
    first, second = nn.Linear(4, 5, rng=r), nn.Linear(5, 3, rng=r)
    return nn.Sequential(first, nn.Tanh(), second).to(np.float64)


@pytest.mark.parametrize("shape", [(1, 4), (6, 4), (2, 3, 4)])
def test_sequential(shape: tuple[int, ...]) -> None:
    check_module(mlp(), rng.normal(size=shape), rng)


@pytest.mark.parametrize("shape", [(1, 4), (6, 4), (2, 3, 4)])
def test_residual(shape: tuple[int, ...]) -> None:
    inner = nn.Sequential(nn.Linear(4, 5, rng=rng), nn.Tanh(), nn.Linear(5, 4, rng=rng))
    check_module(nn.Residual(inner).to(np.float64), rng.normal(size=shape), rng)


def test_residual_of_nothing_is_twice_the_input() -> None:
    x = rng.normal(size=(2, 3))
    np.testing.assert_array_equal(nn.Residual(nn.Identity())(x), 2 * x)


def test_residual_must_keep_the_shape() -> None:
    with pytest.raises(ValueError, match=r"it turned \(2, 3\) into \(2, 1\)"):
        nn.Residual(nn.Linear(3, 1))(np.zeros((2, 3)))


def test_sequential_is_a_list_of_layers() -> None:
    model = mlp()
    assert len(model) == 3
    assert [type(layer).__name__ for layer in model] == ["Linear", "Tanh", "Linear"]
    assert model[-1] is model.layers[2]
    head = model[1:]
    assert isinstance(head, nn.Sequential)
    assert head[1] is model[2]
    model[1] = nn.ReLU()
    assert isinstance(model[1], nn.ReLU)
    assert model.append(nn.Softmax()) is model
    assert len(model) == 4
    assert [n for n, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_empty_sequential_does_nothing() -> None:
    x = np.ones((2, 3))
    np.testing.assert_array_equal(nn.Sequential()(x), x)
    nn.Sequential().backward_params(x)


def test_layers_that_do_not_fit_are_named() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 2))
    told = r"Linear: x must have shape \(\.\.\., 5\), got \(2, 4\)"
    with pytest.raises(ValueError, match=told) as caught:
        model(np.ones((2, 3), np.float32))
    (note,) = caught.value.__notes__
    assert note == "It is layer 2 of the Sequential: Linear(5, 2, bias=True)."


def test_sequential_takes_modules_only() -> None:
    with pytest.raises(TypeError, match=r"layer 1 must be a module, such as ReLU\(\)"):
        nn.Sequential(nn.Linear(2, 2), nn.ReLU)  # type: ignore[arg-type]


def test_the_first_layer_looks_at_the_input() -> None:
    with pytest.raises(ValueError, match=r"Linear: x must have shape \(\.\.\., 4\)"):
        mlp()(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"Linear: x must have shape \(\.\.\., 4\)"):
        nn.Residual(nn.Linear(4, 4))(np.zeros((2, 3)))


class Untouchable(nn.Identity):
    """Fails if the backward pass gets this far."""

    __slots__ = ()

    def backward(self, grad: np.ndarray) -> np.ndarray:
        raise AssertionError("went too far back")

    backward_params = backward  # type: ignore[assignment]


def test_training_goes_no_further_back_than_needed() -> None:
    head = nn.Linear(4, 2)
    model = nn.Sequential(Untouchable(), nn.Linear(4, 4).freeze(), nn.Tanh(), head)
    model(np.ones((3, 4), np.float32))
    model.backward_params(np.ones((3, 2), np.float32))
    assert head.weight.grad is not None
    assert model[1].weight.grad is None  # type: ignore[attr-defined]
    model[1].unfreeze()
    model.backward_params(np.ones((3, 2), np.float32))
    assert model[1].weight.grad is not None  # type: ignore[attr-defined]
    model.freeze()
    model.backward_params(np.ones((3, 2), np.float32))


class Net(nn.Module):
    """A learner's model: attributes and a list."""

    def __init__(self) -> None:
        self.body = nn.Sequential(nn.Linear(4, 4), nn.Residual(nn.Linear(4, 4)))
        self.heads = [nn.Linear(4, 1), nn.Linear(4, 1)]

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self.heads[0](self.body(x))


def test_replace_modules_finds_them_everywhere() -> None:
    model = Net()
    seen: list[str] = []

    def change(name: str, module: nn.Module) -> nn.Module | None:
        seen.append(name)
        return nn.Sequential(module) if isinstance(module, nn.Linear) else None

    new = nn.replace_modules(model, change)
    assert seen == ["body", "body.0", "body.1", "body.1.f", "heads.0", "heads.1"]
    assert list(new) == ["body.0", "body.1.f", "heads.0", "heads.1"]
    assert model.body[0] is new["body.0"]
    assert model.body[1].f is new["body.1.f"]  # type: ignore[attr-defined]
    assert model.heads == [new["heads.0"], new["heads.1"]]
    assert model(np.zeros((2, 4))).shape == (2, 1)
