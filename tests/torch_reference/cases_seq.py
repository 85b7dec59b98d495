"""Convolution, pooling, recurrence, embeddings, attention, transformer blocks, GPT."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.torch_reference.registry import case, run_module, tensor

# name: (arguments, keywords, input shape)
CONVS: dict[str, tuple[tuple[int, ...], dict[str, Any], tuple[int, ...]]] = {
    "conv": ((2, 3, 3), {}, (2, 2, 6, 5)),
    "conv_padding": ((1, 4, 3), {"padding": 1}, (3, 1, 5, 5)),
    "conv_stride": ((2, 3, 3), {"stride": 2, "padding": 1}, (2, 2, 7, 6)),
    "conv_oblong": ((3, 2, (1, 4)), {"stride": (2, 3), "padding": (0, 2)}, (1, 3, 5, 8)),
    "conv_no_bias": ((2, 2, 2), {"bias": False, "stride": 3}, (2, 2, 8, 7)),
    "conv_one": ((3, 4, 1), {}, (2, 3, 3, 2)),
}
POOLS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = {
    "max_pool": ("MaxPool2d", (2,), {}, (2, 3, 4, 6)),
    "max_pool_rest": ("MaxPool2d", (2,), {}, (2, 2, 5, 7)),
    "max_pool_overlap": ("MaxPool2d", (3,), {"stride": 2}, (2, 2, 7, 8)),
    "max_pool_oblong": ("MaxPool2d", ((2, 3),), {"stride": (3, 1)}, (1, 2, 8, 6)),
    "avg_pool": ("AvgPool2d", (2,), {}, (2, 3, 4, 6)),
    "avg_pool_overlap": ("AvgPool2d", (3,), {"stride": 2}, (2, 2, 7, 8)),
    "avg_pool_oblong": ("AvgPool2d", ((2, 3),), {"stride": (3, 1)}, (1, 2, 8, 6)),
}
# name: (class, keywords, batch, steps)
RECURRENT: dict[str, tuple[str, dict[str, Any], int, int]] = {
    "rnn": ("RNN", {}, 3, 5),
    "rnn_relu": ("RNN", {"nonlinearity": "relu"}, 2, 4),
    "rnn_time_first": ("RNN", {"batch_first": False}, 2, 4),
    "lstm": ("LSTM", {}, 3, 5),
    "lstm_one": ("LSTM", {}, 1, 1),
    "lstm_time_first": ("LSTM", {"batch_first": False}, 2, 4),
    "gru": ("GRU", {}, 3, 5),
    "gru_one": ("GRU", {}, 1, 1),
    "gru_time_first": ("GRU", {"batch_first": False}, 2, 4),
}
INPUT_SIZE, HIDDEN_SIZE = 4, 3
# name: (causal, padding mask)
ATTENTION = {
    "attention": (False, False),
    "attention_causal": (True, False),
    "attention_padding": (False, True),
    "attention_both": (True, True),
}
# name: (norm_first, activation, causal)
BLOCKS = {
    "block_pre": (True, "gelu", False),
    "block_pre_causal": (True, "relu", True),
    "block_post": (False, "gelu", False),
    "block_post_causal": (False, "relu", True),
}


def padding_mask() -> np.ndarray:
    """Three sequences of five tokens, the last 0, 1 and 3 of which are padding."""
    return np.arange(5) >= np.array([[5], [4], [2]])


def _conv(name: str) -> None:
    args, options, shape = CONVS[name]

    @case(name)
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        layer = torch.nn.Conv2d(*args, **options).to(getattr(torch, dtype))
        return run_module(torch, rng, layer, tensor(torch, rng, *shape, dtype=dtype))


def _pool(name: str) -> None:
    kind, args, options, shape = POOLS[name]

    @case(name)
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        values = np.round(rng.normal(size=shape), 1)  # with ties, in reading order
        x = torch.from_numpy(values.astype(dtype)).requires_grad_()
        return run_module(torch, rng, getattr(torch.nn, kind)(*args, **options), x)


def _recurrent(name: str) -> None:
    kind, options, batch, steps = RECURRENT[name]

    @case(name)
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        first = options.get("batch_first", True)
        layer = getattr(torch.nn, kind)(INPUT_SIZE, HIDDEN_SIZE, **{"batch_first": True, **options})
        layer.to(getattr(torch, dtype))
        with torch.no_grad():
            for p in layer.parameters():
                p.copy_(torch.from_numpy(rng.normal(scale=0.5, size=tuple(p.shape))))
        shape = (batch, steps) if first else (steps, batch)
        x = tensor(torch, rng, *shape, INPUT_SIZE, dtype=dtype)
        states = 2 if kind == "LSTM" else 1
        start = [tensor(torch, rng, 1, batch, HIDDEN_SIZE, dtype=dtype) for _ in range(states)]
        y, end = layer(x, tuple(start) if states == 2 else start[0])
        end = list(end) if states == 2 else [end]
        grad = tensor(torch, rng, *y.shape, dtype=dtype, grad=False)
        grad_end = [tensor(torch, rng, *e.shape, dtype=dtype, grad=False) for e in end]
        torch.autograd.backward([y, *end], [grad, *grad_end])
        out = {"x": x, "y": y, "grad": grad, "dx": x.grad}
        for i in range(states):
            out |= {f"start{i}": start[i], f"dstart{i}": start[i].grad}
            out |= {f"end{i}": end[i], f"dend{i}": grad_end[i]}
        for key, p in layer.named_parameters():
            ours, turn = key.removesuffix("_l0"), p.ndim == 2
            out[f"p.{ours}"] = p.mT if turn else p
            out[f"dp.{ours}"] = p.grad.mT if turn else p.grad
        return out


@case("embedding")
def embedding(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    layer = torch.nn.Embedding(7, 3).to(getattr(torch, dtype))
    return run_module(torch, rng, layer, torch.from_numpy(rng.integers(0, 7, (4, 5))))


@case("embedding_padding")
def embedding_padding(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    layer = torch.nn.Embedding(4, 3, padding_idx=1).to(getattr(torch, dtype))
    return run_module(torch, rng, layer, torch.from_numpy(rng.integers(0, 4, (4, 5))))


def _ours(name: str, value: Any) -> tuple[str, Any]:
    """Translate the names of PyTorch's attention and encoder layer to ours."""
    if "in_proj_" in name:
        value = value.t() if name.endswith("weight") else value
        name = name.replace("in_proj_", "in_proj.")
    for theirs, here in (
        ("self_attn.", "attention."),
        ("linear1.", "feedforward.up."),
        ("linear2.", "feedforward.down."),
    ):
        name = name.replace(theirs, here)
    return name, value


def _attention(name: str) -> None:
    causal, padded = ATTENTION[name]

    @case(name)
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        attention = torch.nn.MultiheadAttention(6, 2, batch_first=True)
        mask = torch.from_numpy(padding_mask()) if padded else None
        causal_mask = torch.ones(5, 5, dtype=torch.bool).triu(1) if causal else None

        class SelfAttention(torch.nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.inner = attention

            def forward(self, x: Any) -> Any:
                return self.inner(
                    x, x, x, key_padding_mask=mask, attn_mask=causal_mask, need_weights=False
                )[0]

        layer = SelfAttention().to(getattr(torch, dtype))
        x = tensor(torch, rng, 3, 5, 6, dtype=dtype)
        return run_module(torch, rng, layer, x, lambda n, v: _ours(n.removeprefix("inner."), v))


def _block(name: str) -> None:
    norm_first, activation, causal = BLOCKS[name]

    @case(name)
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        inner = torch.nn.TransformerEncoderLayer(
            6, 2, 10, 0.0, activation, batch_first=True, norm_first=norm_first
        )
        mask = torch.ones(5, 5, dtype=torch.bool).triu(1) if causal else None

        class Masked(torch.nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.inner = inner

            def forward(self, x: Any) -> Any:
                return self.inner(x, src_mask=mask)

        layer = Masked().to(getattr(torch, dtype))
        x = tensor(torch, rng, 3, 5, 6, dtype=dtype)
        return run_module(torch, rng, layer, x, lambda n, v: _ours(n.removeprefix("inner."), v))


def _gpt(name: str, tied: bool) -> None:
    @case(name)
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        nn = torch.nn

        class Reference(nn.Module):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.tokens, self.positions = nn.Embedding(7, 6), nn.Embedding(8, 6)
                self.blocks = nn.ModuleList(
                    nn.TransformerEncoderLayer(
                        6, 2, 10, 0.0, "gelu", batch_first=True, norm_first=True
                    )
                    for _ in range(2)
                )
                self.norm = nn.LayerNorm(6)
                self.head = nn.Linear(6, 7, bias=False)
                if tied:
                    self.head.weight = self.tokens.weight

            def forward(self, x: Any) -> Any:
                T = x.shape[1]
                x = self.tokens(x) + self.positions.weight[:T]
                mask = torch.ones(T, T, dtype=torch.bool).triu(1)
                for block in self.blocks:
                    x = block(x, src_mask=mask)
                return self.head(self.norm(x))

        model = Reference().to(getattr(torch, dtype))
        out = run_module(torch, rng, model, torch.from_numpy(rng.integers(0, 7, (3, 5))), _ours)
        if tied:
            out["p.head.weight"] = out["p.tokens.weight"]
        return out


for _name in CONVS:
    _conv(_name)
for _name in POOLS:
    _pool(_name)
for _name in RECURRENT:
    _recurrent(_name)
for _name in ATTENTION:
    _attention(_name)
for _name in BLOCKS:
    _block(_name)
_gpt("gpt", tied=False)
_gpt("gpt_tied", tied=True)
