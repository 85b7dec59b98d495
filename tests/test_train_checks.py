"""What a training is put together from: a mistake is told in one sentence, before it starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffcourse import data, nn, train

NAN, INF = float("nan"), float("inf")
rng = np.random.default_rng(0)
X = rng.normal(size=(12, 4)).astype(np.float32)
Y = rng.integers(0, 3, 12)


def network() -> nn.Sequential:
    r = np.random.default_rng(0)
    return nn.Sequential(nn.Linear(4, 5, rng=r), nn.ReLU(), nn.Linear(5, 3, rng=r))


def sgd(model: nn.Module | None = None, **options: Any) -> train.SGD:
    options = {"lr": 0.1, "momentum": 0.9, **options}
    return train.SGD((network() if model is None else model).parameters(), **options)


def trainer(**parts: Any) -> train.Trainer:
    model = parts.pop("model", None) or network()
    optimizer = parts.pop("optimizer", None) or sgd(model)
    loss_fn = parts.pop("loss_fn", None) or nn.CrossEntropyLoss()
    return train.Trainer(model, loss_fn, optimizer, **parts)


def fit(given: Any = (X, Y), *, parts: dict[str, Any] | None = None, **options: Any) -> Any:
    return trainer(**(parts or {})).fit(given, **{"epochs": 1, **options})


# -- options ------------------------------------------------------------------------------------

# name in the message: (what is called with the value, what is wanted, values that are refused)
NO_NUMBERS = ["a", None, NAN, 1j, np.ones(2), True]
OPTIONS: dict[str, tuple[Callable[[Any], Any], str, list[Any]]] = {
    "lr": (lambda v: sgd(lr=v), "a number that is not negative", [-0.1]),
    "momentum": (lambda v: sgd(momentum=v), r"a number in \[0, 1\)", [-0.1, 1]),
    "weight_decay": (lambda v: sgd(weight_decay=v), "a number that is not negative", [-0.1]),
    "betas": (
        lambda v: train.Adam(network().parameters(), betas=v),
        r"two numbers in \[0, 1\)",
        [0.9, (0.9,), (0.9, 0.9, 0.9), (0.9, 1), (0.9, "a"), (NAN, 0.9)],
    ),
    "step_size": (lambda v: train.StepLR(sgd(), v), "a whole number of at least 1", [0, 1.5, 2.0]),
    "gamma": (lambda v: train.StepLR(sgd(), 3, v), "a number that is not negative", [-0.1, INF]),
    "gamma ": (lambda v: train.ExponentialLR(sgd(), v), "a number that is not", [-0.1, INF]),
    "T_max": (lambda v: train.CosineAnnealingLR(sgd(), v), "a whole number of at least 1", [0]),
    "eta_min": (lambda v: train.CosineAnnealingLR(sgd(), 5, v), "a number that is not", [-0.1]),
    "start_factor": (lambda v: train.LinearLR(sgd(), v), r"a number in \(0, 1\]", [0, 1.1]),
    "end_factor": (
        lambda v: train.LinearLR(sgd(), end_factor=v),
        "a number that is not negative",
        [-0.1],
    ),
    "total_iters": (
        lambda v: train.LinearLR(sgd(), total_iters=v),
        "a whole number of at least 1",
        [0, 1.5],
    ),
    "milestones": (
        lambda v: train.SequentialLR(
            (o := sgd()), [train.StepLR(o, 2), train.StepLR(o, 3)], milestones=[v]
        ),
        "a whole number of at least 0",
        [-1, 1.5],
    ),
    "max_lr": (lambda v: train.OneCycleLR(sgd(), v, 50), "a number above zero", [0, -1]),
    "total_steps": (lambda v: train.OneCycleLR(sgd(), 1, v), "a whole number of at least 1", [0]),
    "pct_start": (
        lambda v: train.OneCycleLR(sgd(), 1, 50, pct_start=v),
        "a number between 0 and 1",
        [0, 1, -0.1],
    ),
    "div_factor": (
        lambda v: train.OneCycleLR(sgd(), 1, 50, div_factor=v),
        "a number above zero",
        [0, -1],
    ),
    "final_div_factor": (
        lambda v: train.OneCycleLR(sgd(), 1, 50, final_div_factor=v),
        "a number above zero",
        [0, -1],
    ),
    "base_momentum": (
        lambda v: train.OneCycleLR(sgd(), 1, 50, base_momentum=v),
        r"a number in \[0, 1\)",
        [-0.1, 1],
    ),
    "max_momentum": (
        lambda v: train.OneCycleLR(sgd(), 1, 50, max_momentum=v),
        r"a number in \[0, 1\)",
        [-0.1, 1],
    ),
    "max_norm": (
        lambda v: train.clip_grad_norm(network().parameters(), v),
        "a number above zero",
        [0, -1],
    ),
    "clip_value": (
        lambda v: train.clip_grad_value(network().parameters(), v),
        "a number above zero",
        [0, -1],
    ),
    "clip_norm": (lambda v: trainer(clip_norm=v), "a number above zero", [0, -1]),
    "patience": (train.EarlyStopping, "a whole number of at least 1", [0, 1.5]),
    "min_delta": (
        lambda v: train.EarlyStopping(min_delta=v),
        "a number that is not negative",
        [-0.1],
    ),
    "steps": (
        lambda v: train.find_lr(m := network(), nn.MSELoss(), sgd(m), (X, Y), steps=v),
        "a whole number of at least 10",
        [9, 10.5],
    ),
    "smoothing": (
        lambda v: train.find_lr(m := network(), nn.MSELoss(), sgd(m), (X, Y), smoothing=v),
        r"a number in \[0, 1\)",
        [-0.1, 1],
    ),
    "entries": (
        lambda v: train.gradcheck(nn.ReLU(), X, entries=v),
        "a whole number of at least 1",
        [0, -1, 1.5],
    ),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, v) for name, (_, _, values) in OPTIONS.items() for v in [*values, *NO_NUMBERS]
     if not (name == "clip_norm" and v is None)],
)  # fmt: skip
def test_options(name: str, value: Any) -> None:
    make, wanted, _ = OPTIONS[name]
    with pytest.raises(ValueError, match=f"^{name.strip()}: expected {wanted}.*, got "):
        make(value)


def test_the_ends_of_a_range_that_belong_to_it() -> None:
    assert train.StepLR(sgd(), np.int64(1), 0).gamma == 0
    assert train.LinearLR(sgd(), 1, 0).end_factor == 0
    assert train.OneCycleLR(sgd(), 1, 50, base_momentum=0).momenta == (0, 0.95)
    assert train.EarlyStopping(1, min_delta=0).patience == 1
    assert train.clip_grad_norm(network().parameters(), INF) == 0
    assert train.CosineAnnealingLR(sgd(), 1, np.float32(0)).eta_min == 0
    assert len(fit(epochs=0)) == 0
    model = network()
    lrs = train.find_lr(model, nn.CrossEntropyLoss(), sgd(model), (X, Y), steps=10, smoothing=0).lrs
    assert len(lrs) <= 10


# -- objects ------------------------------------------------------------------------------------

OBJECTS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: train.SGD(network()), TypeError, r"params: .* model.parameters\(\), got Sequential"),  # type: ignore[arg-type]
    (
        lambda: train.SGD(network().parameters),
        TypeError,
        "params: expected a list of .* got method",
    ),  # type: ignore[arg-type]
    (lambda: train.Adam(None), TypeError, "params: expected a list of Parameter .* got NoneType"),  # type: ignore[arg-type]
    (lambda: train.SGD([{"lr": 1}]), TypeError, r"expected a group such as .* got {'lr': 1}"),
    (
        lambda: train.SGD([{"params": network()}]),
        TypeError,
        r"model.parameters\(\), got Sequential",
    ),
    (lambda: sgd().add_param_group(3), TypeError, "expected a group such as .* got 3"),  # type: ignore[arg-type]
    (
        lambda: trainer(model=nn.ReLU, optimizer=sgd()),
        TypeError,
        "model: .*class ReLU.* parentheses are missing",
    ),
    (lambda: trainer(model="net", optimizer=sgd()), TypeError, "model: expected a Mod.* got str"),
    (lambda: trainer(loss_fn=nn.MSELoss), TypeError, "loss_fn: .* the class MSELoss"),
    (lambda: trainer(loss_fn=sgd()), TypeError, "loss_fn: expected a loss.* got SGD"),
    (lambda: trainer(optimizer=train.SGD), TypeError, "optimizer: .* the class SGD"),
    (lambda: trainer(optimizer=nn.MSELoss()), TypeError, "optimizer: expected .* got MSELoss"),
    (lambda: trainer(scheduler=3), TypeError, "scheduler: expected a schedule.* got int"),
    (lambda: trainer(scheduler=train.StepLR), TypeError, "scheduler: .* the class StepLR"),
    (
        lambda: trainer(scheduler=train.StepLR(sgd(), 3)),
        ValueError,
        "scheduler: it was made for another optimizer",
    ),
    (lambda: trainer(metrics=train.accuracy), TypeError, "metrics: .*train.accuracy}, got <fun"),
    (lambda: trainer(metrics=[train.accuracy]), TypeError, "metrics: expected functions with"),
    (lambda: trainer(metrics={"a": "accuracy"}), TypeError, "metrics: .* got {'a': 'accuracy'}"),
    (
        lambda: trainer(penalties=nn.L2Penalty([], 0.1)),
        TypeError,
        "penalties: expected a list of penalties, also of a single one, got L2Penalty",
    ),
    (lambda: trainer(penalties=[0.1]), TypeError, "penalties: expected a list"),
    (lambda: trainer(rng="a"), TypeError, "rng must be a NumPy Generator or an integer seed"),
    (lambda: fit(callbacks=train.EarlyStopping()), TypeError, "callbacks: expected a list"),
    (lambda: fit(callbacks=[train.EarlyStopping]), TypeError, "callbacks: expected a list"),
    (lambda: fit(callbacks=[print]), TypeError, "callbacks: expected a list"),
    (lambda: fit(epochs=-1), ValueError, "epochs: expected a whole number of at least 0, got -1"),
    (lambda: fit(epochs=1.5), ValueError, "epochs: expected a whole number of at least 0, got 1.5"),
    (lambda: fit(batch_size=0), ValueError, "batch_size: expected a whole number of at least 1"),
    (lambda: fit(batch_size="a"), ValueError, "batch_size: expected a whole number"),
    (lambda: fit(X), TypeError, r"an array of shape \(12, 4\) alone, without its answers"),
    (lambda: fit([X, Y]), TypeError, r"a list of 2 parts, of which one is no \(x, y\) pair"),
    (lambda: fit((X, Y, Y)), TypeError, r"a tuple of 3 parts, of which one is no .* but ndarray"),
    (lambda: fit([(X, Y), (X, Y, Y)]), TypeError, r"no \(x, y\) pair but tuple"),
    (lambda: fit(3), TypeError, r"expected \(X, y\), a Dataset or a DataLoader.*; got 3"),
    (lambda: fit(val=0.2), TypeError, r"expected \(X, y\), .*; got 0.2"),
    (lambda: fit(val=X), TypeError, "alone, without its answers"),
    (lambda: train.SequentialLR(sgd(), [], []), TypeError, "schedulers: expected a list of sched"),
    (lambda: train.SequentialLR(sgd(), [3], []), TypeError, "schedulers: expected a list"),  # type: ignore[list-item]
    (lambda: train.OneCycleLR(network(), 1, 50), TypeError, "optimizer: .*, got Sequential"),  # type: ignore[arg-type]
    (lambda: train.clip_grad_norm(network(), 1), TypeError, r"model.parameters\(\), got Seq"),  # type: ignore[arg-type]
    (lambda: train.clip_grad_value([X], 1), TypeError, "params: .* objects, got ndarray"),  # type: ignore[list-item]
    (lambda: train.gradcheck(nn.ReLU, X), TypeError, "module: expected an object with a backward"),
    (lambda: train.gradcheck(np.tanh, X), TypeError, "module: expected an object with a backward"),
    (
        lambda: train.gradcheck(nn.Linear(4, 3), X, Y, nn.MSELoss),
        TypeError,
        "loss: expected an object with a backward",
    ),
    (lambda: train.gradcheck(nn.ReLU(), X + 1j), TypeError, "x: expected floating.* complex"),
    (lambda: train.gradcheck(nn.ReLU(), X.astype(object)), TypeError, "x: expected floating"),
    (lambda: train.gradcheck(nn.ReLU(), X, rng="a"), TypeError, "rng must be a NumPy Generator"),  # type: ignore[arg-type]
    (
        lambda: train.gradcheck(nn.LSTM(4, 3), X[None]),
        TypeError,
        "expected one array as output, LSTM returns 2; build it with return_state=False",
    ),
    (lambda: train.History().best(mode="low"), ValueError, "history is empty"),
    (lambda: fit().best("train_loss", "low"), ValueError, "mode: .* 'min' or 'max', got 'low'"),
]


@pytest.mark.parametrize(("make", "error", "message"), OBJECTS)
def test_objects(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_an_optimizer_of_another_model_would_train_nothing() -> None:
    model, other = network(), network()
    told = "optimizer: expected one made for this model, got one that holds none of its parameters"
    with pytest.raises(ValueError, match=told):
        fit(parts={"model": model, "optimizer": sgd(other)})
    with pytest.raises(ValueError, match=told):
        train.find_lr(model, nn.CrossEntropyLoss(), sgd(other), (X, Y))
    some = train.SGD([{"params": other.parameters()}, {"params": [model[0].weight]}])
    assert len(fit(parts={"model": model, "optimizer": some})) == 1  # a part is enough


def test_seeds_are_generators_too() -> None:
    one = fit(parts={"rng": 3}, epochs=2).step_loss
    assert one == fit(parts={"rng": np.random.default_rng(3)}, epochs=2).step_loss
    assert train.gradcheck(nn.ReLU(), X, rng=3)  # type: ignore[arg-type]


def test_a_loader_without_batches_does_not_go_on_for_ever() -> None:
    model = network()
    with pytest.raises(ValueError, match="train: expected at least one batch, the loader has none"):
        train.find_lr(model, nn.CrossEntropyLoss(), sgd(model), [])
    loader = data.DataLoader(X, Y, 12)
    assert len(train.find_lr(model, nn.CrossEntropyLoss(), sgd(model), loader, steps=20).lrs) > 1


# -- accuracy -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logits", "target"),
    [
        (X, Y[:5]),
        (X[:5], Y),
        (Y, X),
        (X[:0], Y[:0]),
        (X, Y[None]),
        (np.ones((2, 3, 4)), np.ones((3, 2))),
    ],
)
def test_accuracy_needs_scores_that_fit(logits: np.ndarray, target: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"accuracy: expected .* got logits of shape .* target of"):
        train.accuracy(logits, target)


def test_accuracy_needs_numbers() -> None:
    with pytest.raises(TypeError, match="accuracy: logits must hold numbers, got dtype <U1"):
        train.accuracy(np.array(["a"]), np.array([1]))
    with pytest.raises(TypeError, match="accuracy: target must hold numbers, got dtype object"):
        train.accuracy(np.ones((1, 2)), np.array([None]))


# -- checkpoints --------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, b"a"])
def test_only_what_can_be_read_back_is_saved(value: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    with pytest.raises(TypeError, match=r"parts\.0\.x: expected an array, a number, a text, None"):
        train.save_checkpoint(path, {"parts": [{"x": value}]})
    with pytest.raises(TypeError, match="x: expected an array of numbers, got dtype object"):
        train.save_checkpoint(path, {"x": np.array([value], object)})
    assert not path.exists()


def rewritten(path: Path, text: str) -> None:
    """Put another text into the place of a checkpoint's JSON."""
    raw = path.read_bytes()
    end = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:end])
    header["__metadata__"]["ffcourse_checkpoint"] = text
    new = json.dumps(header).encode()
    path.write_bytes(len(new).to_bytes(8, "little") + new + raw[end:])


@pytest.mark.parametrize("text", ["{not json", '{"model": {"__array__": "nowhere"}}'])
def test_a_damaged_header_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    trainer().save(path)
    rewritten(path, text)
    with pytest.raises(ValueError, match=r"run.safetensors is a damaged checkpoint: its header"):
        trainer().load(path)


@pytest.mark.parametrize("tree", [{"a": 1}, {"model": {}}])
def test_another_kind_of_checkpoint_is_told(tree: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    train.save_checkpoint(path, tree)
    with pytest.raises(ValueError, match=r"expected a checkpoint that Trainer\.save wrote"):
        trainer().load(path)
    rewritten(path, "[1]")
    with pytest.raises(ValueError, match=r"expected a checkpoint that Trainer\.save wrote"):
        trainer().load(path)


# -- how they look ------------------------------------------------------------------------------


def test_reprs() -> None:
    optimizer = sgd()
    schedule = train.StepLR(optimizer, 3, 0.5)
    schedule.step()
    assert repr(schedule) == "StepLR(step_size=3, gamma=0.5; t=1)"
    assert repr(train.EarlyStopping()) == "EarlyStopping(patience=5, monitor='val_loss')"
    run, stop = trainer(), train.EarlyStopping(2, "train_loss")
    run.fit((X, Y), epochs=1, batch_size=4, callbacks=[stop])
    assert repr(run) == "Trainer(Sequential, CrossEntropyLoss, SGD; epoch=1, step=3)"
    told = f"monitor='train_loss'; best {stop.best:.5g} in epoch 1)"
    assert repr(stop) == f"EarlyStopping(patience=2, {told}"


class HalfLoss:
    """Gives a gradient, but cannot be called."""

    def backward(self) -> None:
        """Do nothing."""


class HalfOptimizer:
    """Steps, but has no groups of parameters."""

    def step(self) -> None:
        """Do nothing."""


def test_half_of_what_is_needed_is_not_enough() -> None:
    with pytest.raises(TypeError, match=r"loss_fn: expected a loss.* got HalfLoss"):
        trainer(loss_fn=HalfLoss())
    with pytest.raises(TypeError, match=r"loss_fn: expected a loss.* got function"):
        trainer(loss_fn=lambda output, target: 0.0)
    with pytest.raises(TypeError, match=r"optimizer: expected an optimizer.* got HalfOptimizer"):
        trainer(optimizer=HalfOptimizer())


def test_a_list_of_batches_is_fine() -> None:
    history = fit([(X[:6], Y[:6]), [X[6:], Y[6:]]], epochs=2)
    assert len(history.step_loss) == 4


# -- optimizers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("grad", [np.ones((5, 4)), np.ones(5), 1.0, np.ones((1, 4, 5))])
def test_a_gradient_is_not_stretched_to_its_parameter(grad: Any) -> None:
    layer = nn.Linear(4, 5)
    optimizer = train.SGD(layer.parameters(), lr=0.1)
    layer.weight.grad = grad
    with pytest.raises(
        ValueError, match=r"grad: expected the shape of its parameter, \(4, 5\), got"
    ):
        optimizer.step()


def test_the_state_of_another_optimizer_is_refused() -> None:
    model = network()
    adam, momentum = train.Adam(model.parameters()), sgd(model)
    with pytest.raises(
        ValueError, match=r"options of SGD, momentum, nesterov is missing; was .*another"
    ):
        momentum.load_state_dict(adam.state_dict())
    with pytest.raises(ValueError, match=r"options of Adam, betas, eps is missing; was .*another"):
        adam.load_state_dict(momentum.state_dict())
    state = momentum.state_dict()
    with pytest.raises(ValueError, match="state: expected 4 parameters, got number 4"):
        momentum.load_state_dict({**state, "state": {4: {"step": 1}}})
    state["param_groups"][0]["lr"] = -1
    with pytest.raises(ValueError, match="lr: expected a number that is not negative, got -1"):
        momentum.load_state_dict(state)
    assert momentum.param_groups[0]["lr"] == 0.1
