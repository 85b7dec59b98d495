"""The same multi-layer perceptron four times: ours, PyTorch's, scikit-learn's, and bare NumPy."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from tests.benchmarks.timing import Step

LR = 1e-6  # so small that the weights, and with them the speed, stay the same for all contenders


def batch(sizes: list[int], size: int) -> tuple[Any, Any]:
    """Draw one batch of inputs and labels."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((size, sizes[0])).astype(np.float32)
    return x, rng.integers(0, sizes[-1], size)


def ours(sizes: list[int], size: int, optimizer: str) -> Step:
    """Build a step of ffcourse."""
    from ffcourse import nn, train  # here, so that the other contenders' processes are without it

    rng = np.random.default_rng(0)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out, rng=rng), nn.ReLU()]
    model, loss_fn = nn.Sequential(*layers[:-1]), nn.CrossEntropyLoss()
    opt = {"adam": train.Adam, "sgd": train.SGD}[optimizer](model.parameters(), lr=LR)
    x, y = batch(sizes, size)

    def step() -> None:
        loss_fn(model(x), y)
        opt.zero_grad()
        model.backward_params(loss_fn.backward())
        opt.step()

    return step


def pytorch(sizes: list[int], size: int, optimizer: str) -> Step:
    """Build a step of eager PyTorch, all options as by default."""
    import torch

    torch.manual_seed(0)
    layers: list[Any] = []
    for n_in, n_out in pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    model, loss_fn = torch.nn.Sequential(*layers[:-1]), torch.nn.CrossEntropyLoss()
    opt = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimizer](model.parameters(), lr=LR)
    x, y = map(torch.from_numpy, batch(sizes, size))

    def step() -> None:
        loss = loss_fn(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()

    return step


def sklearn(sizes: list[int], size: int, optimizer: str) -> Step:
    """Build a step of scikit-learn's MLPClassifier: ``partial_fit`` on one batch."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        hidden_layer_sizes=sizes[1:-1],
        solver=optimizer,
        alpha=0.0,
        batch_size=size,
        learning_rate_init=LR,
        momentum=0.0,
        nesterovs_momentum=False,
        random_state=0,
    )
    x, y = batch(sizes, size)
    classes = np.arange(sizes[-1])
    model.partial_fit(x, y, classes=classes)
    return lambda: model.partial_fit(x, y)


def bare(sizes: list[int], size: int, optimizer: str) -> Step:
    """Build a step as one writes it by hand in NumPy, with no library around it."""
    rng = np.random.default_rng(0)
    Ws = [
        (rng.standard_normal((n_in, n_out)) / np.sqrt(n_in)).astype(np.float32)
        for n_in, n_out in pairwise(sizes)
    ]
    bs = [np.zeros(n, np.float32) for n in sizes[1:]]
    x, y = batch(sizes, size)
    rows = np.arange(size)
    update = _adam(Ws + bs) if optimizer == "adam" else _sgd(Ws + bs)

    def step() -> float:
        inputs = [x]
        for W, b in zip(Ws[:-1], bs[:-1], strict=True):
            inputs.append(np.maximum(inputs[-1] @ W + b, 0))
        z = inputs[-1] @ Ws[-1] + bs[-1]
        z = z - z.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) - z[rows, y]).mean()
        delta = e / total
        delta[rows, y] -= 1
        delta /= size
        dWs, dbs = [], []
        for i in range(len(Ws) - 1, -1, -1):
            dWs.append(inputs[i].T @ delta)
            dbs.append(delta.sum(axis=0))
            if i:
                delta = (delta @ Ws[i].T) * (inputs[i] > 0)
        update(dWs[::-1] + dbs[::-1])
        return float(loss)

    return step


def _sgd(params: list[Any]) -> Any:
    def update(grads: list[Any]) -> None:
        for p, g in zip(params, grads, strict=True):
            p -= LR * g

    return update


def _adam(params: list[Any]) -> Any:
    ms = [np.zeros_like(p) for p in params]
    vs = [np.zeros_like(p) for p in params]
    t = 0

    def update(grads: list[Any]) -> None:
        nonlocal t
        t += 1
        for p, g, m, v in zip(params, grads, ms, vs, strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            p -= LR * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    return update


def products(sizes: list[int], size: int) -> Step:
    """Build the matrix products of a step, and nothing else."""
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return rng.standard_normal(shape).astype(np.float32)

    layers = [
        (draw(size, n_in), draw(n_in, n_out), draw(size, n_out)) for n_in, n_out in pairwise(sizes)
    ]

    def step() -> None:
        for x, W, _ in layers:
            x.dot(W)
        for x, W, dy in layers[:0:-1]:
            x.T.dot(dy)
            dy.dot(W.T)
        x, _, dy = layers[0]
        x.T.dot(dy)

    return step
