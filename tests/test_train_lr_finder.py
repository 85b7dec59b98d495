"""The learning-rate finder: sees the valley, leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest

from ffcourse import data, nn, train

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 4)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def setup() -> tuple[nn.Sequential, train.Optimizer]:
    rng = np.random.default_rng(1)
    model = nn.Sequential(
        nn.Linear(4, 8, rng=rng),
        nn.BatchNorm1d(8),
        nn.Dropout(0.1, rng=rng),
        nn.Linear(8, 2, rng=rng),
    )
    return model, train.SGD(model.parameters(), lr=0.3, momentum=0.9)


def test_a_parabola_explodes_where_theory_says() -> None:
    """Gradient descent on ``w**2`` shrinks w by ``1 - 2 lr``: it diverges above lr = 1."""
    layer = nn.Linear(1, 1, bias=False, dtype=np.float64)
    layer.weight.data[...] = 1.0
    x, y = np.ones((1, 1)), np.zeros((1, 1))
    found = train.find_lr(
        layer, nn.MSELoss(), train.SGD(layer.parameters()), [(x, y)], lr_min=1e-4, lr_max=100
    )
    assert 0.01 < found.suggestion < 1.0
    assert found.suggestion == pytest.approx(found.lrs[np.argmin(found.losses)] / 10)
    assert 1.0 < found.lrs[-1] < 100.0
    np.testing.assert_allclose(np.diff(np.log(found.lrs)), np.log(1e6) / 99)
    assert found.losses[0] == pytest.approx(1.0, rel=1e-3)
    assert len(found.losses) == len(found.lrs)
    assert "try" in repr(found)


def test_losses_are_smoothed_by_nine_tenths_unless_told() -> None:
    found = []
    for options in ({}, {"smoothing": 0.9}, {"smoothing": 0.5}):
        model, optimizer = setup()
        found.append(train.find_lr(model, nn.CrossEntropyLoss(), optimizer, (X, Y), **options))
    assert found[0].losses == found[1].losses != found[2].losses


def test_everything_is_put_back() -> None:
    model, optimizer = setup()
    loss_fn = nn.CrossEntropyLoss()
    loader = data.DataLoader(X, Y, 16, rng=5)
    run = train.Trainer(model, loss_fn, optimizer)
    run.fit(loader, epochs=1)
    model[2].eval()
    weights, state = model.state_dict(), optimizer.state_dict()
    random = (loader.rng.bit_generator.state, model[2].rng.bit_generator.state)
    grads = [p.grad for p in model.parameters()]
    found = train.find_lr(model, loss_fn, optimizer, loader)
    assert len(found.lrs) > 10
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, weights[name])
    after = optimizer.state_dict()
    assert after["param_groups"] == state["param_groups"]
    for i, arrays in state["state"].items():
        for key, value in arrays.items():
            np.testing.assert_array_equal(after["state"][i][key], value)
    assert random == (loader.rng.bit_generator.state, model[2].rng.bit_generator.state)
    assert all(p.grad is g for p, g in zip(model.parameters(), grads, strict=True))
    assert not model[2].training


def test_groups_keep_their_ratio() -> None:
    seen = []

    class Spy(train.SGD):
        def step(self) -> None:
            seen.append([g["lr"] for g in self.param_groups])
            super().step()

    model, _ = setup()
    groups = [{"params": model[0].parameters(), "lr": 0.01}, {"params": model[3].parameters()}]
    train.find_lr(model, nn.CrossEntropyLoss(), Spy(groups, lr=0.1), (X, Y), lr_max=1.0, steps=20)
    ratios = np.array(seen)
    np.testing.assert_allclose(ratios[:, 1] / ratios[:, 0], 10)
    assert ratios[0, 1] == pytest.approx(1e-6)
    assert ratios[-1, 1] == pytest.approx(1.0)


def test_arguments() -> None:
    model, optimizer = setup()
    loss_fn = nn.CrossEntropyLoss()
    with pytest.raises(ValueError, match="expected 0 < lr_min < lr_max, got lr_min=1, "):
        train.find_lr(model, loss_fn, optimizer, (X, Y), lr_min=1, lr_max=0.5)
    with pytest.raises(ValueError, match="expected 0 < lr_min < lr_max"):
        train.find_lr(model, loss_fn, optimizer, (X, Y), lr_min=0.0)
    with pytest.raises(ValueError, match="expected 0 < lr_min < lr_max"):
        train.find_lr(model, loss_fn, optimizer, (X, Y), lr_min=1.0, lr_max=1.0)
    found = train.find_lr(model, loss_fn, optimizer, (X, Y), lr_max=0.1, steps=10)
    assert len(found.lrs) == 10
    with pytest.raises(ValueError, match="steps: expected a whole number of at least 10"):
        train.find_lr(model, loss_fn, optimizer, (X, Y), steps=9)
    with pytest.raises(TypeError, match="loss_fn: expected a loss, such as"):
        train.find_lr(model, nn.CrossEntropyLoss, optimizer, (X, Y))
    with pytest.raises(ValueError, match="not finite before the first step"):
        train.find_lr(model, loss_fn, optimizer, (X * np.nan, Y))


class Scripted(nn.MSELoss):
    """Says these losses, one after another."""

    def __init__(self, losses: list[float]) -> None:
        super().__init__()
        self.losses = iter(losses)

    def forward(self, logits: np.ndarray, target: np.ndarray) -> float:
        super().forward(logits, target)
        return next(self.losses)


def scripted(losses: list[float], **options: float) -> train.LRRange:
    layer = nn.Linear(4, 1)
    one = [(X, np.zeros((64, 1), np.float32))]
    optimizer = train.SGD(layer.parameters())
    return train.find_lr(layer, Scripted(losses), optimizer, one, **options)


def test_it_stops_above_four_times_the_lowest_smoothed_loss() -> None:
    found = scripted([1.0, 0.5, 2.0, 1.99, 2.01, 0.1], smoothing=0.0)
    assert found.losses == pytest.approx([1.0, 0.5, 2.0, 1.99])
    assert found.suggestion == pytest.approx(found.lrs[1] / 10)
    assert len(scripted([1.0, np.inf]).lrs) == 1
    assert repr(found) == f"LRRange(4 rates from 1.0e-06 to {found.lrs[3]:.1e}, try 1.2e-07)"


def test_smoothing_is_a_mean_without_a_bias() -> None:
    found = scripted([3.0, 1.0, 2.0, 99.0], smoothing=0.5)
    assert found.losses == pytest.approx([3.0, 5 / 3, 13 / 7])


def test_it_trains_in_training_mode_on_shuffled_batches() -> None:
    model, optimizer = setup()
    modes = []

    class Spy(nn.Identity):
        def forward(self, x: np.ndarray) -> np.ndarray:
            modes.append(self.training)
            return x

    model.append(Spy())
    model.eval()
    first = train.find_lr(model, nn.CrossEntropyLoss(), optimizer, (X, Y))
    assert all(modes)
    assert not model.training
    rng = np.random.default_rng(0)
    second = train.find_lr(model, nn.CrossEntropyLoss(), optimizer, (X, Y), rng=rng)
    third = train.find_lr(model, nn.CrossEntropyLoss(), optimizer, (X, Y), rng=rng)
    assert first.losses == second.losses != third.losses


def test_defaults() -> None:
    sizes = []

    class Spy(nn.CrossEntropyLoss):
        def forward(self, logits: np.ndarray, target: np.ndarray) -> float:
            sizes.append(len(logits))
            return super().forward(logits, target) * 0 + 1

    model, optimizer = setup()
    found = train.find_lr(model, Spy(), optimizer, (X[:40], Y[:40]))
    assert sizes == [32, 8] * 50
    assert (found.lrs[0], found.lrs[-1]) == pytest.approx((1e-6, 10.0))
    assert len(found.lrs) == 100
