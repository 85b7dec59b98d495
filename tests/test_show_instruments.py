"""Instruments: the numbers behind them, and every control moved through its range."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from ffcourse import nn, show, train
from ffcourse.show import instruments, testing
from ffcourse.show.instruments.common import straight
from ffcourse.show.instruments.convolution_steps import convolve
from ffcourse.show.instruments.overfitting_board import fit
from ffcourse.show.instruments.recorder import probe

RNG = np.random.default_rng(0)
X = np.concatenate([RNG.normal(-1, 0.8, (20, 2)), RNG.normal(1, 0.8, (20, 2))])
Y = np.repeat([0, 1], 20)


def small_model(out: int = 1) -> nn.Sequential:
    rng = np.random.default_rng(0)
    return nn.Sequential(
        nn.Linear(2, 3, rng=rng), nn.Tanh(), nn.Dropout(0.5), nn.Linear(3, out, rng=rng)
    )


def trained(epochs: int = 6):
    model = small_model(2)
    optimizer = train.Adam(model.parameters(), lr=0.05)
    trainer = train.Trainer(
        model, nn.CrossEntropyLoss(), optimizer, metrics={"accuracy": train.accuracy}
    )
    recorder = instruments.Recorder(X.astype(np.float32), Y)
    data = X.astype(np.float32), Y
    trainer.fit(data, val=data, epochs=epochs, callbacks=[recorder], progress=False)
    return trainer, recorder


ALL = {
    "neuron_line": lambda: instruments.neuron_line(X, Y),
    "activation": lambda: instruments.activation(np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "activation of a learner": lambda: instruments.activation(lambda z: max(0.0, z), name="mine"),
    "activations_compared": lambda: instruments.activations_compared(
        {"step": nn.functional.step, "ReLU": nn.functional.relu, "GELU": nn.functional.gelu}
    ),
    "network": lambda: instruments.network(small_model(), X, Y),
    "network with names": lambda: instruments.network(
        small_model(2), inputs=["a", "b"], outputs=["no", "yes"]
    ),
    "wide network": lambda: instruments.network(
        nn.Sequential(nn.Linear(30, 12, rng=0), nn.ReLU(), nn.Linear(12, 2, rng=0)),
        RNG.normal(size=(5, 30)),
    ),
    "decision_boundary": lambda: instruments.decision_boundary(
        lambda p, w: w * p[:, 0] + p[:, 1] ** 2 - 1, X, Y, w=(-2.0, 2.0)
    ),
    "decision_boundary of classes": lambda: instruments.decision_boundary(
        lambda p, w: np.stack([w * p[:, 0], p[:, 1], 0 * p[:, 0]], 1), X, Y, w=(-2.0, 2.0)
    ),
    "loss_surface": lambda: instruments.loss_surface(
        lambda u, v: (1 - u) ** 2 + 5 * (v - u * u) ** 2,
        {"SGD": train.SGD, "momentum": partial(train.SGD, momentum=0.9), "Adam": train.Adam},
        start=(-1.2, 1.2),
        extent=(-2, 2, -1, 2),
        steps=20,
    ),
    "training_monitor": lambda: instruments.training_monitor(trained()[1]),
    "training_monitor of several": lambda: instruments.training_monitor(
        {"long": trained(5)[0].history, "short": trained(3)[0].history}, log=True
    ),
    "computation_graph": lambda: instruments.computation_graph(
        lambda w, x, b: ((w * x + b).tanh() - 1) ** 2, w=0.5, x=(-3.0, 3.0), b=show.Range(-1, 1)
    ),
    "gradient_flow": lambda: instruments.gradient_flow(width=8, most=8, batch=8),
    "convolution_steps": lambda: instruments.convolution_steps(np.eye(5)),
    "attention_map": lambda: instruments.attention_map(
        RNG.dirichlet(np.ones(4), (2, 4)), ["the", "cat", "sat", "down"]
    ),
    "overfitting_board": instruments.overfitting_board,
    "finetuning_board": lambda: instruments.finetuning_board(
        {"head": {10: [0.5, 0.6], 100: [0.7, 0.8]}, "all": {10: [0.4, 0.5], 100: [0.8, 0.9]}},
        {"head": [False, True], "all": [True, True]},
        ["body", "head"],
    ),
}


@pytest.mark.parametrize("name", ALL)
def test_every_control_through_its_range(name):
    figure = ALL[name]()
    assert testing.sweep(figure) > 4
    assert len(figure.svg()) < 50_000
    assert len(figure.words()) > 40
    figure.picture()
    figure.close()


def test_neuron_line_numbers():
    fig = instruments.neuron_line([[1.0, 0.0], [-1.0, 0.0]], [1, 0], w1=2.0, w2=0.0, b=0.0)
    assert fig["data"].numbers()["errors"].tolist() == [False, False]
    assert fig["loss"].texts == ["perceptron loss 0.000"]
    changed = fig.set(b=3.0)
    # z = 5 and 1: the second is wrong, by 1; the mean of max(0, -s z) is 1/2
    assert fig["data"].numbers()["errors"].tolist() == [False, True]
    assert fig["loss"].texts == ["perceptron loss 0.500"]
    assert {"data", "line", "loss", "errors"} <= set(changed)
    np.testing.assert_allclose(fig.set(b=-1.0) and fig["line"].numbers()["x"], [0.5, 0.5])


@pytest.mark.parametrize(
    ("w1", "w2", "b", "ends"),
    [
        (0, 1, -0.5, [(0, 0.5), (1, 0.5)]),
        (1, 0, -0.5, [(0.5, 0), (0.5, 1)]),
        (1, -1, 0, [(0, 0), (1, 1)]),
        (1, 1, 9, []),
        (0, 0, 0, []),
    ],
)
def test_decision_line_within_the_panel(w1, w2, b, ends):
    x, y = straight(w1, w2, b, (0, 1, 0, 1))
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == ends


def test_activation_runs_on_single_numbers_and_finds_the_slope():
    fig = instruments.activation(lambda z: z * z, z=1.5)
    assert fig["point"].numbers()["y"] == pytest.approx(2.25)
    assert fig["slope point"].numbers()["y"] == pytest.approx(3.0)
    with pytest.raises(ValueError, match="one value for each input"):
        instruments.activation(lambda z: np.zeros(3))


def test_network_shows_what_the_model_computes():
    model = small_model()
    fig = instruments.network(model, X, Y)
    fig.set(x1=0.3, x2=-0.7)
    model.eval()
    want = model(np.array([[0.3, -0.7]]))
    np.testing.assert_allclose(fig["units 2"].numbers()["values"], want[0], rtol=1e-6)
    assert model.training is False
    before = fig["map"].numbers()["values"]
    assert set(fig.set(unit="y")) >= {"map", "formula", "result"}
    assert not np.array_equal(fig["map"].numbers()["values"], before)
    assert "units 0" not in fig.set(unit="h2")


def test_network_leaves_the_model_as_it_was():
    model = small_model()
    model.train()
    instruments.network(model, X, Y)
    assert all(module.training for module in model.modules())


def test_decision_boundary_counts_errors():
    fig = instruments.decision_boundary(
        lambda p, shift: p[:, :1] - shift, X, X[:, 0] > 0, shift=(0.0, 9.0)
    )
    fig.set(shift=0.0)
    assert not fig["data"].numbers()["errors"].any()
    fig.set(shift=9.0)
    right = int((X[:, 0] > 0).sum())
    assert fig["data"].numbers()["errors"].sum() == right
    assert fig["classes"].texts == [
        f"class 0: 0 of {len(X) - right} wrong",
        f"class 1: {right} of {right} wrong",
    ]
    with pytest.raises(ValueError, match="predict must return shape"):
        instruments.decision_boundary(lambda p: 1.0, X, Y)


def test_decision_boundary_fills_its_picture():
    fig = instruments.decision_boundary(lambda p: p[:, 0], X, Y)
    plane = fig.stage.axes[0].get_position()
    assert plane.width > 0.45
    notes = fig.stage.axes[1].get_position()
    assert notes.x0 - plane.x1 < 0.05


def test_loss_surface_follows_the_optimizer():
    fig = instruments.loss_surface(
        lambda u, v: u**2 + v**2,
        {"SGD": train.SGD},
        start=(1.0, -1.0),
        extent=(-2, 2, -2, 2),
        steps=10,
        lr=show.Log(0.01, 2.0, 0.25),
    )
    fig.set(step=1)
    # the slope is 2 w, so one step of 0.25 halves the weights
    np.testing.assert_allclose(fig["here"].numbers()["x"], [0.5], rtol=1e-6)
    np.testing.assert_allclose(fig["loss"].numbers()["y"], [2.0, 0.5], rtol=1e-6)
    fig.set(lr=2.0, step=10)
    assert "run away" in fig["note"].texts[0] or np.abs(fig["here"].numbers()["x"]) > 100


def test_training_monitor_shows_the_history():
    trainer, recorder = trained()
    fig = instruments.training_monitor(recorder)
    fig.set(epoch=3)
    want = trainer.history["train_loss"][:3]
    np.testing.assert_allclose(fig["train loss"].numbers()["y"], want)
    np.testing.assert_allclose(fig["gradients"].numbers()["heights"], recorder.gradients[2])
    with pytest.raises(ValueError, match="no column 'train_loss'"):
        instruments.training_monitor(train.History())


def test_probe_leaves_model_and_gradients_alone():
    model = small_model(2)
    model.train()
    for p in model.parameters():
        p.grad = np.ones_like(p.data)
    names, grads, spreads = probe(model, nn.CrossEntropyLoss(), X.astype(np.float32), Y)
    assert names == ["0", "3"]
    assert (grads > 0).all()
    assert (spreads > 0).all()
    assert all((p.grad == 1).all() for p in model.parameters())
    assert all(m.training for m in model.modules())


def test_computation_graph_walks_backward():
    fig = instruments.computation_graph(lambda a, b: a * b, a=2.0, b=3.0)
    assert fig["gradients"].texts == ["", "", ""]
    fig.set(backward=3)
    assert fig["values"].texts == ["2", "3", "6"]
    assert fig["gradients"].texts == ["grad 3", "grad 2", "grad 1"]
    fig.set(a=-1.0)
    assert fig["values"].texts == ["−1", "3", "−3"]
    with pytest.raises(TypeError, match="must return a Value"):
        instruments.computation_graph(lambda a: 1.0, a=1.0)


def named_neuron(w, x, b):
    u = w * x
    z = u + b
    p = z.sigmoid()
    u.label, z.label, p.label = "u", "z", "p"
    return -p.log()


def test_computation_graph_begins_where_it_is_told_and_names_what_the_function_names():
    fig = instruments.computation_graph(named_neuron, backward=4, w=-0.5, x=2.0, b=0.25)
    assert {"u = ×", "z = +", "p = σ", "log", "−"} <= set(fig["names"].texts)
    assert sum(bool(t) for t in fig["gradients"].texts) == 4
    assert fig.start["backward"] == 4
    assert instruments.computation_graph(named_neuron, backward=99, w=1, x=2, b=0).state == {
        "backward": 8, "w": 1.0, "x": 2.0, "b": 0.0
    }  # fmt: skip


def test_slopes_of_a_graph_stand_between_the_boxes():
    fig = instruments.computation_graph(named_neuron, backward=8, w=-0.5, x=2.0, b=0.25)
    ax = fig.stage.axes[0]
    boxes, texts = fig["boxes"].numbers(), fig["slopes"]
    figure = fig.stage.figure
    drawn = [artist.get_window_extent() for artist in texts.draw(ax)]
    corners = np.stack([boxes["x"], boxes["y"]], 1)
    half = np.array([fig["boxes"].width, fig["boxes"].height]) / 2
    low, high = ax.transData.transform(corners - half), ax.transData.transform(corners + half)
    inch = figure.dpi
    for extent in drawn:
        inside = (extent.x0 + 0.05 * inch < high[:, 0]) & (extent.x1 - 0.05 * inch > low[:, 0])
        inside &= (extent.y0 < high[:, 1]) & (extent.y1 > low[:, 1])
        assert not inside.any()


def test_a_value_used_twice_sends_two_arrows_apart():
    fig = instruments.computation_graph(lambda a: a * a, backward=2, a=3.0)
    ends = fig["backward"].numbers()
    assert len(set(ends["y1"].tolist())) == 2
    assert fig["slopes"].texts == ["×3", "×3"]
    assert fig["gradients"].texts == ["grad 6", "grad 1"]


def test_gradients_vanish_with_sigmoid_and_survive_with_he():
    fig = instruments.gradient_flow(width=32, most=20)

    def ratio(**state):
        fig.set(depth=20, shortcuts=False, **state)
        g = fig["gradients"].numbers()["heights"]
        return g[0] / g[-1]

    assert ratio(activation="sigmoid", initial="Xavier") < 1e-5
    assert 0.05 < ratio(activation="ReLU", initial="He") < 20
    fig.set(activation="ReLU", initial="large (1)")
    assert fig["activations"].numbers()["heights"][-1] > 1e4


def test_convolution_agrees_with_the_layer():
    image = RNG.normal(size=(5, 6))
    kernel = RNG.normal(size=(3, 3))
    for stride, padding in [(1, 0), (2, 1), (1, 1)]:
        layer = nn.Conv2d(1, 1, 3, stride=stride, padding=padding, bias=False, dtype=np.float64)
        layer.weight.data[0, 0] = kernel
        want = layer(image[None, None])[0, 0]
        np.testing.assert_allclose(convolve(image, kernel, stride, padding), want)
    fig = instruments.convolution_steps(image, {"k": kernel, "l": -kernel})
    fig.set(step=5)
    out = fig["output"].numbers()["values"].ravel()
    np.testing.assert_allclose(out[:6], convolve(image, kernel, 1, 0).ravel()[:6])
    assert (out[6:] == 0).all()


def test_attention_map_reads_the_row():
    weights = np.array([[0.9, 0.1], [0.2, 0.8]])
    fig = instruments.attention_map(weights, ["a", "b"])
    fig.set(query=0)
    np.testing.assert_array_equal(fig["query"].numbers()["heights"], weights[0])
    with pytest.raises(ValueError, match=r"shape \(3, 3\) or \(heads, 3, 3\) for 3 tokens"):
        instruments.attention_map(weights, ["a", "b", "c"])


def test_overfitting_board():
    x = np.linspace(-1, 1, 30)
    curve = np.polynomial.legendre.legval(x, fit(x, 2 + x**3, 3, 0.0))
    np.testing.assert_allclose(curve, 2 + x**3, atol=1e-12)
    flat = fit(x, 2 + x**3, 5, 1e9)
    np.testing.assert_allclose(flat, [2, 0, 0, 0, 0, 0], atol=1e-6)  # the constant stays free
    fig = instruments.overfitting_board()
    training = fig["training"].numbers()["y"]
    assert (np.diff(training) <= 1e-6).all()  # more capacity never fits its own points worse
    fresh = fig["fresh"].numbers()["y"]
    assert fresh[-1] > fresh.min()


def test_a_legend_of_many_words_does_not_push_its_panel_aside():
    methods = ["from scratch", "random body, frozen", "head only", "last two layers", "all layers"]
    fig = instruments.finetuning_board(
        {m: {10: [0.5, 0.6], 100: [0.7, 0.8]} for m in methods},
        {m: [True, True] for m in methods},
        ["body", "head"],
    )
    stack, curves = fig.stage.frames
    assert curves.width > 0.5 * fig.stage.size[0] > stack.width
    assert "from scratch, 10 examples" in fig["choice"].texts[0]
    assert fig["note"].texts == ["accuracy 0.550 (0.500 to 0.600, 2 seeds)"]
