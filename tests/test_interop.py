"""Weights to and from PyTorch and safetensors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffcourse import nn
from ffcourse.nn import interop
from tests.conftest import ROOT
from tests.torch_reference import registry

MODELS: dict[str, Callable[[], nn.Module]] = {
    "mlp": lambda: nn.Sequential(
        nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.LayerNorm(4), nn.Linear(4, 3, bias=False)
    ),
    "cnn": lambda: nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2)
    ),
    "rnn": lambda: nn.RNN(3, 4),
    "lstm": lambda: nn.LSTM(3, 4),
    "gru": lambda: nn.GRU(3, 4),
    "block": lambda: nn.TransformerBlock(8, 2, 12),
    "embedding": lambda: nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 2)),
}


def reference(name: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    arrays = registry.reference("interop", name, "float32")
    state = {k.removeprefix("state."): v for k, v in arrays.items() if k.startswith("state.")}
    return state, arrays["x"], arrays["y"]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_pytorch_gives_the_same_outputs_here(name: str) -> None:
    state, x, expected = reference(name)
    model = interop.from_torch(MODELS[name](), state).eval()
    y = model(x)
    y = y[0] if isinstance(y, tuple) else y
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_there_and_back_is_the_same(name: str) -> None:
    state, _, _ = reference(name)
    back = interop.to_torch(interop.from_torch(MODELS[name](), state))
    assert set(back) == set(state)
    for key, value in back.items():
        np.testing.assert_array_equal(value, state[key], err_msg=key)
        assert value.flags.c_contiguous  # torch.from_numpy and safetensors want it
        assert value.flags.owndata


@pytest.mark.torch
@pytest.mark.parametrize("name", MODELS)
def test_our_weights_work_in_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = {
        "mlp": lambda: torch.nn.Sequential(
            torch.nn.Linear(5, 4),
            torch.nn.BatchNorm1d(4),
            torch.nn.ReLU(),
            torch.nn.LayerNorm(4),
            torch.nn.Linear(4, 3, bias=False),
        ),
        "cnn": lambda: torch.nn.Sequential(
            torch.nn.Conv2d(1, 3, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Linear(12, 2),
        ),
        "rnn": lambda: torch.nn.RNN(3, 4, batch_first=True),
        "lstm": lambda: torch.nn.LSTM(3, 4, batch_first=True),
        "gru": lambda: torch.nn.GRU(3, 4, batch_first=True),
        "block": lambda: torch.nn.TransformerEncoderLayer(
            8, 2, 12, dropout=0.0, batch_first=True, norm_first=True, activation="gelu"
        ),
        "embedding": lambda: torch.nn.Sequential(torch.nn.Embedding(7, 4), torch.nn.Linear(4, 2)),
    }[name]().eval()
    ours = MODELS[name]().eval()
    state = {k: torch.from_numpy(v) for k, v in interop.to_torch(ours).items()}
    theirs.load_state_dict(state)
    x = reference(name)[1]
    y, expected = ours(x), theirs(torch.from_numpy(x))
    y, expected = (v[0] if isinstance(v, tuple) else v for v in (y, expected))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    interop.from_torch(MODELS[name](), theirs.state_dict())  # tensors are taken too


def test_names_can_be_translated() -> None:
    layer = nn.Linear(3, 2)
    state = interop.to_torch(layer, rename=lambda name: f"encoder.{name}")
    assert set(state) == {"encoder.weight", "encoder.bias"}
    other = interop.from_torch(nn.Linear(3, 2), state, rename=lambda name: f"encoder.{name}")
    np.testing.assert_array_equal(other.weight.data, layer.weight.data)


def test_what_does_not_fit_is_told_and_changes_nothing() -> None:
    model = nn.Linear(3, 2)
    before = model.state_dict()
    state = interop.to_torch(model)
    state["bias"] = state["bias"] + 1
    with pytest.raises(ValueError, match=r"missing \['weight'\], not expected \['w'\]"):
        interop.from_torch(model, {"w": state["weight"], "bias": state["bias"]})
    with pytest.raises(ValueError, match=r"weight has shape \(2, 3\), expected \(3, 2\)"):
        interop.from_torch(model, {"weight": state["weight"].T, "bias": state["bias"]})
    for name, value in before.items():
        np.testing.assert_array_equal(model.state_dict()[name], value)
    interop.from_torch(model, {"bias": state["bias"], "more": np.ones(1)}, strict=False)
    np.testing.assert_array_equal(model.bias.data, before["bias"] + 1)
    np.testing.assert_array_equal(model.weight.data, before["weight"])


@pytest.mark.parametrize("name", MODELS)
def test_saved_and_loaded_is_the_same(name: str, tmp_path: Path) -> None:
    model, other = MODELS[name](), MODELS[name]()
    path = tmp_path / "models" / "weights.safetensors"
    interop.save_safetensors(path, model)
    state = interop.load_safetensors(path, other)
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[key], value, err_msg=key)
        np.testing.assert_array_equal(state[key], value, err_msg=key)


def test_pytorch_reads_our_files(tmp_path: Path) -> None:
    from safetensors import safe_open

    model = nn.Linear(3, 2)
    path = tmp_path / "weights.safetensors"
    interop.save_safetensors(path, interop.to_torch(model), {"made by": "test"})
    with safe_open(path, framework="numpy") as file:
        assert file.metadata() == {"made by": "test"}
        np.testing.assert_array_equal(file.get_tensor("weight"), model.weight.data.T)


def test_bad_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file"):
        interop.load_safetensors(tmp_path / "none")
    (tmp_path / "torn").write_bytes(b"123")
    with pytest.raises(ValueError, match="is not a readable safetensors file"):
        interop.load_safetensors(tmp_path / "torn")
    interop.save_safetensors(tmp_path / "other", nn.Linear(2, 2))
    with pytest.raises(ValueError, match="state does not fit Linear"):
        interop.load_safetensors(tmp_path / "other", nn.Linear(3, 2))


def test_pytorch_is_not_imported() -> None:
    code = "import sys; from ffcourse import nn, train; from ffcourse.nn import interop; "
    code += "interop.to_torch(nn.Linear(2, 2)); assert 'torch' not in sys.modules"
    done: Any = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_file_is_read_back_in_the_order_of_names(tmp_path: Path) -> None:
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(9)))
    interop.save_safetensors(tmp_path / "nine.safetensors", model)
    names = list(interop.load_safetensors(tmp_path / "nine.safetensors"))
    assert names == sorted(names)
    assert len(names) == 18
