"""What every module can do: find its parts, save, load, freeze, print."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import nn


class Tied(nn.Module):
    """A learner's model with a shared weight, a list and a normalisation."""

    def __init__(self) -> None:
        self.first = nn.Linear(3, 3, rng=np.random.default_rng(0))
        self.second = nn.Linear(3, 3, rng=np.random.default_rng(1))
        self.second.weight = self.first.weight
        self.blocks = [nn.BatchNorm1d(3), nn.ReLU()]
        self.scale = nn.Parameter(np.ones(3, np.float32))

    def forward(self, x: np.ndarray) -> np.ndarray:
        for part in (self.first, self.second, *self.blocks):
            x = part.forward(x)
        return x * self.scale.data


NAMES = [
    "first.weight",
    "first.bias",
    "second.weight",
    "second.bias",
    "blocks.0.weight",
    "blocks.0.bias",
]
BUFFERS = [f"blocks.0.{n}" for n in ("running_mean", "running_var", "num_batches_tracked")]


def test_names() -> None:
    model = Tied()
    once = ["scale", *NAMES]
    once.remove("second.weight")
    assert [n for n, _ in model.named_parameters()] == once
    assert len(model.parameters()) == 6
    assert list(model.state_dict()) == ["scale", *NAMES, *BUFFERS]
    assert [n for n, _ in model.named_buffers()] == BUFFERS
    assert [n for n, _ in model.named_children()] == ["first", "second", "blocks.0", "blocks.1"]
    assert [n for n, _ in model.named_modules()] == [
        "",
        "first",
        "second",
        "blocks.0",
        "blocks.1",
    ]
    assert list(model.children()) == [model.first, model.second, *model.blocks]
    assert next(iter(model.modules())) is model
    assert model.num_parameters() == 3 + 9 + 3 + 3 + 3 + 3


def test_train_and_eval_reach_every_part() -> None:
    model = Tied()
    assert all(m.training for m in model.modules())
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    assert model.train() is model
    assert all(m.training for m in model.modules())


def test_freeze_and_unfreeze() -> None:
    model = Tied()
    for p in model.parameters():
        p.grad = np.ones(p.shape)
    assert model.first.freeze() is model.first
    assert model.first.weight.grad is None
    assert model.second.bias is not None
    assert model.second.bias.grad is not None
    assert [p.requires_grad for p in model.parameters()] == [True, False, False, True, True, True]
    assert model.num_parameters(trainable_only=True) == 12
    assert not model.first.is_trainable()
    assert model.is_trainable()
    assert not nn.ReLU().is_trainable()
    assert model.unfreeze() is model
    assert model.num_parameters(trainable_only=True) == 24


def test_parameters_are_those_with_names_in_the_same_order() -> None:
    model = nn.Sequential(Tied(), nn.TransformerBlock(4, 2), nn.Linear(4, 4))
    named = [p for _, p in model.named_parameters()]
    assert list(map(id, model.parameters())) == list(map(id, named))
    model.append(nn.Linear(4, 2))  # nothing is remembered: what is added is found
    model[2] = nn.RMSNorm(4)
    assert model.parameters()[-3:] == [model[2].weight, model[3].weight, model[3].bias]
    for p in model.parameters():
        p.grad = np.ones(p.shape)
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_gradients_add_up_until_forgotten() -> None:
    p = nn.Parameter(np.zeros(2))
    p.accumulate(np.array([1.0, 2.0]))
    p.accumulate(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(p.grad, [2, 4])
    model = Tied()
    model.scale.grad = np.ones(3)
    model.zero_grad()
    assert model.scale.grad is None
    p.requires_grad = False
    p.accumulate(np.ones(2))
    np.testing.assert_array_equal(p.grad, [2, 4])
    assert repr(p) == "Parameter(shape=(2,), dtype=float64, frozen)"
    assert repr(nn.Parameter(np.zeros((1, 2), np.float32))) == (
        "Parameter(shape=(1, 2), dtype=float32)"
    )


# -- saving -------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_save_then_load_is_identity(n_in: int, n_out: int, seed: int) -> None:
    r = np.random.default_rng(seed)
    make = lambda: nn.Sequential(nn.Linear(n_in, n_out, rng=r), nn.BatchNorm1d(n_out))  # noqa: E731
    one, two = make(), make()
    one(r.normal(size=(3, n_in)))
    assert two.load_state_dict(one.state_dict()) is two
    x = r.normal(size=(2, n_in)).astype(np.float32)
    np.testing.assert_array_equal(one.eval()(x), two.eval()(x))
    for name, value in two.state_dict().items():
        np.testing.assert_array_equal(value, one.state_dict()[name])


def test_state_is_a_copy_and_loading_is_in_place() -> None:
    model = Tied()
    state, array = model.state_dict(), model.scale.data
    model.scale.data += 1
    model.blocks[0].running_mean += 1  # type: ignore[attr-defined]
    np.testing.assert_array_equal(state["scale"], 1)
    np.testing.assert_array_equal(state["blocks.0.running_mean"], 0)
    model.load_state_dict({k: v.astype(np.float64) for k, v in state.items()})
    assert model.scale.data is array
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, 1)


def test_state_that_does_not_fit() -> None:
    model = Tied()
    before = model.state_dict()
    state = {k: v + 1 for k, v in before.items()}
    del state["scale"]
    state["sclae"] = np.ones(3)
    state["first.bias"] = np.ones((1, 3))
    with pytest.raises(ValueError, match="state does not fit Tied") as caught:
        model.load_state_dict(state)
    message = str(caught.value)
    assert "scale is missing" in message
    assert "sclae is not in the model" in message
    assert "first.bias has shape (1, 3), expected (3,)" in message
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    del state["first.bias"]
    model.load_state_dict(state, strict=False)
    np.testing.assert_array_equal(model.state_dict()["second.bias"], before["second.bias"] + 1)
    state["first.bias"] = np.ones(4)
    with pytest.raises(ValueError, match=r"first.bias has shape \(4,\), expected \(3,\)"):
        model.load_state_dict(state, strict=False)


def test_to_changes_the_precision_of_everything_that_floats() -> None:
    model = Tied()
    model.scale.grad = np.ones(3, np.float32)
    assert model.to(np.float64) is model
    assert model.scale.grad.dtype == np.float64
    for name, value in model.state_dict().items():
        assert value.dtype == (np.int64 if "num_batches" in name else np.float64)


def test_copies_are_independent() -> None:
    model = Tied()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        twin.first.weight.data += 1
        assert twin.second.weight is twin.first.weight
        assert not np.array_equal(twin.first.weight.data, model.first.weight.data)


# -- mistakes -----------------------------------------------------------------------------------


def test_unknown_attributes_raise() -> None:
    layer = nn.Linear(2, 3)
    with pytest.raises(AttributeError, match="wieght"):
        layer.wieght = nn.Parameter(np.zeros((2, 3)))  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="Linear has no attribute 'wieght'"):
        layer.wieght  # type: ignore[attr-defined]  # noqa: B018


def test_backward_before_forward_is_told() -> None:
    with pytest.raises(AttributeError, match=r"call model\(x\) first"):
        nn.Linear(2, 3).backward(np.ones((1, 3)))


def test_backward_params_does_all_that_backward_does_for_the_parameters() -> None:
    layer = nn.LayerNorm(3)
    layer(np.ones((2, 3)))
    layer.backward_params(np.ones((2, 3)))
    np.testing.assert_array_equal(layer.parameters()[1].grad, [2, 2, 2])


def test_base_class_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="Module has no forward pass"):
        nn.Module()(np.ones(1))
    with pytest.raises(NotImplementedError, match="Module has no backward pass"):
        nn.Module().backward(np.ones(1))


def test_every_public_name_is_there() -> None:
    for name in nn.__all__:
        assert hasattr(nn, name), name


# -- showing ------------------------------------------------------------------------------------


def test_repr_is_nested() -> None:
    assert repr(nn.Sequential(nn.Linear(2, 3), nn.Residual(nn.ReLU()))) == (
        "Sequential(\n  (0): Linear(2, 3, bias=True)\n  (1): Residual(\n    (f): ReLU()\n  )\n)"
    )
    assert repr(nn.Module()) == "Module()"


def test_a_model_prints_a_table() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3, bias=False))
    model[0].freeze()
    assert str(model) == (
        "layer  kind    parameters                            count\n"
        "----------------------------------------------------------\n"
        "0      Linear  weight 4×8 (frozen), bias 8 (frozen)     40\n"
        "1      ReLU\n"
        "2      Linear  weight 8×3                               24\n"
        "----------------------------------------------------------\n"
        "64 parameters (40 frozen)"
    )
    assert str(model[1]) == "ReLU()"


def test_summary_with_an_input_shows_shapes() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Residual(nn.Linear(8, 8)))
    model[2].eval()
    table = str(model.summary(np.ones((5, 4), np.float32)))
    assert "0      Linear       5×8     weight 4×8, bias 8     40" in table
    assert "2.f    Linear       5×8     weight 8×8, bias 8     72" in table
    assert table.endswith("\n128 parameters")
    assert [m.training for m in model.modules()] == [True, True, True, False, False]
    assert model[1].num_batches_tracked == 0  # type: ignore[attr-defined]


def test_summary_counts_shared_weights_once() -> None:
    table = str(Tied().summary(np.ones((2, 3), np.float32)))
    assert "second    Linear       2×3     weight 3×3 (shared), bias 3      3" in table
    assert table.endswith("24 parameters")
    assert str(nn.Linear(1000, 2).summary()).splitlines()[2].endswith(" 2,002")


def test_watch_sees_every_output_and_leaves_no_trace() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    other, seen = nn.ReLU(), []
    forwards = (nn.Linear.forward, nn.ReLU.forward)
    with nn.watch(model, lambda name, module, out: seen.append((name, module, out.shape))):
        model(np.ones((4, 2)))
        other(np.ones(3))
    assert seen == [("0", model[0], (4, 3)), ("1", model[1], (4, 3)), ("", model, (4, 3))]
    assert (nn.Linear.forward, nn.ReLU.forward) == forwards
    assert "forward" not in vars(Leaf)
    with nn.watch(Leaf(), lambda *_: None):
        assert "forward" in vars(Leaf)
    assert "forward" not in vars(Leaf)


class Leaf(nn.ReLU):
    """Inherits its forward pass."""

    __slots__ = ()
