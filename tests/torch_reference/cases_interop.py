"""Whole PyTorch models: their state dicts, an input, and what comes out."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.torch_reference.registry import case


def _run(torch: Any, rng: np.random.Generator, module: Any, x: Any) -> dict[str, Any]:
    with torch.no_grad():
        for value in module.state_dict().values():
            if value.dtype.is_floating_point:
                value.copy_(torch.from_numpy(rng.uniform(0.1, 1, size=tuple(value.shape))))
    state = {f"state.{name}": value.clone() for name, value in module.state_dict().items()}
    y = module.eval()(x)
    return {**state, "x": x, "y": y[0] if isinstance(y, tuple) else y}


def _float(torch: Any, rng: np.random.Generator, *shape: int) -> Any:
    return torch.from_numpy(rng.normal(size=shape).astype(np.float32))


@case("mlp", dtypes=("float32",))
def mlp(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.LayerNorm(4), nn.Linear(4, 3, bias=False)
    )
    return _run(torch, rng, model, _float(torch, rng, 6, 5))


@case("cnn", dtypes=("float32",))
def cnn(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2)
    )
    return _run(torch, rng, model, _float(torch, rng, 3, 1, 4, 4))


def _recurrent(kind: str) -> None:
    @case(kind.lower(), dtypes=("float32",))
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        return _run(
            torch, rng, getattr(torch.nn, kind)(3, 4, batch_first=True), _float(torch, rng, 2, 5, 3)
        )


for _kind in ("RNN", "LSTM", "GRU"):
    _recurrent(_kind)


@case("block", dtypes=("float32",))
def block(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    layer = torch.nn.TransformerEncoderLayer(
        8, 2, 12, dropout=0.0, batch_first=True, norm_first=True, activation="gelu"
    )
    return _run(torch, rng, layer, _float(torch, rng, 2, 4, 8))


@case("embedding", dtypes=("float32",))
def embedding(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    model = torch.nn.Sequential(torch.nn.Embedding(7, 4), torch.nn.Linear(4, 2))
    return _run(torch, rng, model, torch.from_numpy(rng.integers(0, 7, (3, 5))))
