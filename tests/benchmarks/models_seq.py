"""CNN, recurrent networks, transformer block and GPT: ours, and the same in PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.benchmarks.timing import Step

if TYPE_CHECKING:  # else only inside the functions of ours: the other processes are without it
    from ffcourse import nn

LR = 1e-6
IMAGES = 64
BATCH, STEPS, HIDDEN = 32, 20, 64
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
LENGTH, WIDTH, HEADS, TOKENS, LAYERS = 16, 64, 4, 27, 2


def rows() -> Iterator[dict[str, Any]]:
    """Yield the arguments of each `Row`."""
    yield {
        "name": f"CNN 8-16 on 8x8 digits, batch {IMAGES}, sgd",
        "steps": {"ours": our_cnn, "pytorch": torch_cnn},
        "goal": 2.0,
    }
    for kind, features in (("RNN", 64), ("LSTM", 64), ("LSTM", 1), ("GRU", 64)):
        yield {
            "name": f"{kind} {features}-{HIDDEN}, {STEPS} steps, batch {BATCH}, adam",
            "steps": {
                "ours": partial(our_recurrent, kind, features),
                "pytorch": partial(torch_recurrent, kind, features),
            },
            "largest": BATCH * STEPS * HIDDEN * GATES[kind] * HIDDEN,
        }
    for activation in ("gelu", "gelu_tanh"):
        yield {
            "name": f"transformer block d={WIDTH}, {HEADS} heads, {LENGTH} tokens, batch {BATCH}, "
            f"{activation}, adamw",
            "steps": {
                "ours": partial(our_block, activation),
                "pytorch": partial(torch_block, activation),
            },
            "largest": BATCH * LENGTH * WIDTH * 4 * WIDTH,
        }
    yield {
        "name": f"GPT d={WIDTH}, {LAYERS} blocks, {LENGTH} tokens, batch {BATCH}, adamw",
        "steps": {"ours": our_gpt, "pytorch": torch_gpt},
        "largest": BATCH * LENGTH * WIDTH * 4 * WIDTH,
    }


def draw(*shape: int) -> np.ndarray:
    """Draw a normal float32 array, the same for all contenders."""
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def labels(classes: int, *shape: int) -> np.ndarray:
    """Draw integers below `classes`, the same for all contenders."""
    return np.random.default_rng(2).integers(0, classes, shape)


def our_step(model: nn.Module, optimizer: type[Any], x: np.ndarray, y: np.ndarray) -> Step:
    """Train a classifier of ours on one batch."""
    from ffcourse import nn

    loss_fn, opt = nn.CrossEntropyLoss(), optimizer(model.parameters(), lr=LR)

    def step() -> None:
        loss_fn(model(x), y)
        opt.zero_grad()
        model.backward_params(loss_fn.backward())
        opt.step()

    return step


def torch_step(model: Any, optimizer: type[Any], x: np.ndarray, y: np.ndarray) -> Step:
    """Train a classifier of PyTorch's on one batch; the classes are on the last axis."""
    import torch

    loss_fn, opt = torch.nn.CrossEntropyLoss(), optimizer(model.parameters(), lr=LR)
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y).flatten()

    def step() -> None:
        loss = loss_fn(model(inputs).flatten(0, -2), targets)
        opt.zero_grad()
        loss.backward()
        opt.step()

    return step


# -- CNN --------------------------------------------------------------------------------------


def our_cnn() -> Step:
    """Build a step of the CNN of chapter 11."""
    from ffcourse import nn, train

    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 10, rng=rng),
    )
    return our_step(model, train.SGD, draw(IMAGES, 1, 8, 8), labels(10, IMAGES))


def torch_cnn() -> Step:
    """Build the same in PyTorch."""
    import torch

    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(8, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(64, 10),
    )
    return torch_step(model, torch.optim.SGD, draw(IMAGES, 1, 8, 8), labels(10, IMAGES))


# -- recurrent --------------------------------------------------------------------------------


def our_recurrent(kind: str, features: int) -> Step:
    """Build a step of a recurrent layer with a prediction after each time step."""
    from ffcourse import nn, train

    rng = np.random.default_rng(0)
    layer = getattr(nn, kind)(features, HIDDEN, return_state=False, rng=rng)
    model = nn.Sequential(layer, nn.Linear(HIDDEN, 10, rng=rng))
    return our_step(model, train.Adam, draw(BATCH, STEPS, features), labels(10, BATCH, STEPS))


def torch_recurrent(kind: str, features: int) -> Step:
    """Build the same in PyTorch."""
    import torch

    class Model(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = getattr(torch.nn, kind)(features, HIDDEN, batch_first=True)
            self.head = torch.nn.Linear(HIDDEN, 10)

        def forward(self, x: Any) -> Any:
            return self.head(self.layer(x)[0])

    x, y = draw(BATCH, STEPS, features), labels(10, BATCH, STEPS)
    return torch_step(Model(), torch.optim.Adam, x, y)


# -- transformer ------------------------------------------------------------------------------


def our_block(activation: str) -> Step:
    """Build a step of one causal pre-norm block as it stands in a stack: with d input."""
    from ffcourse import nn, train

    rng = np.random.default_rng(0)
    block = nn.TransformerBlock(WIDTH, HEADS, causal=True, activation=activation, rng=rng)
    opt = train.AdamW(block.parameters(), lr=LR)
    x, grad = draw(BATCH, LENGTH, WIDTH), draw(BATCH, LENGTH, WIDTH)

    def step() -> None:
        block(x)
        opt.zero_grad()
        block.backward(grad)
        opt.step()

    return step


def torch_block(activation: str) -> Step:
    """Build the same in PyTorch, with its fused attention."""
    import torch

    block = make_torch_block("tanh" if activation == "gelu_tanh" else "none")
    opt = torch.optim.AdamW(block.parameters(), lr=LR)
    x = torch.from_numpy(draw(BATCH, LENGTH, WIDTH)).requires_grad_()
    grad = torch.from_numpy(draw(BATCH, LENGTH, WIDTH))

    def step() -> None:
        y = block(x)
        opt.zero_grad()
        x.grad = None
        y.backward(grad)
        opt.step()

    return step


def make_torch_block(approximate: str) -> Any:
    """Make a causal pre-norm block in PyTorch, written as plainly as nanoGPT's."""
    import torch
    from torch.nn import functional

    class Block(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = torch.nn.LayerNorm(WIDTH), torch.nn.LayerNorm(WIDTH)
            self.in_proj = torch.nn.Linear(WIDTH, 3 * WIDTH)
            self.out_proj = torch.nn.Linear(WIDTH, WIDTH)
            self.feedforward = torch.nn.Sequential(
                torch.nn.Linear(WIDTH, 4 * WIDTH),
                torch.nn.GELU(approximate),
                torch.nn.Linear(4 * WIDTH, WIDTH),
            )

        def forward(self, x: Any) -> Any:
            B, T, D = x.shape
            parts = self.in_proj(self.norm1(x)).view(B, T, 3, HEADS, D // HEADS)
            q, k, v = parts.permute(2, 0, 3, 1, 4)
            heads = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out_proj(heads.transpose(1, 2).reshape(B, T, D))
            return x + self.feedforward(self.norm2(x))

    return Block()


def our_gpt() -> Step:
    """Build a step of the GPT of chapter 14, tied head."""
    from ffcourse import nn, train

    model = nn.GPT(TOKENS, LENGTH, WIDTH, HEADS, LAYERS, rng=np.random.default_rng(0))
    text = labels(TOKENS, BATCH, LENGTH + 1)
    x, y = np.ascontiguousarray(text[:, :-1]), np.ascontiguousarray(text[:, 1:])
    return our_step(model, train.AdamW, x, y)


def torch_gpt() -> Step:
    """Build the same in PyTorch."""
    import torch

    class Model(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.tokens = torch.nn.Embedding(TOKENS, WIDTH)
            self.positions = torch.nn.Parameter(torch.randn(LENGTH, WIDTH) * 0.02)
            self.blocks = torch.nn.Sequential(*(make_torch_block("tanh") for _ in range(LAYERS)))
            self.norm = torch.nn.LayerNorm(WIDTH)

        def forward(self, x: Any) -> Any:
            stream = self.blocks(self.tokens(x) + self.positions)
            return self.norm(stream) @ self.tokens.weight.T

    text = labels(TOKENS, BATCH, LENGTH + 1)
    x, y = np.ascontiguousarray(text[:, :-1]), np.ascontiguousarray(text[:, 1:])
    return torch_step(Model(), torch.optim.AdamW, x, y)
