"""Cases of agreement with PyTorch: how each is made, and how the stored one is read.

A group is a file ``cases_GROUP.py`` beside this one, holding functions like ::

    @case("linear")
    def linear(torch, rng, dtype):          # dtype: "float64" or "float32"
        layer = torch.nn.Linear(4, 3, dtype=getattr(torch, dtype))
        ...
        return {"x": x, "y": y, ...}        # arrays or tensors, flat

and is stored in ``stored/GROUP.safetensors``. ``rng`` is seeded with the case's name, so that a
case does not change when others are added. Importing a cases file must not import PyTorch.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

FOLDER = Path(__file__).resolve().parent
STORED = FOLDER / "stored"
DTYPES = ("float64", "float32")

Make = Callable[[Any, np.random.Generator, str], Mapping[str, Any]]
_cases: dict[str, dict[str, tuple[Make, tuple[str, ...]]]] = {}


def case(name: str, dtypes: tuple[str, ...] = DTYPES) -> Callable[[Make], Make]:
    """Register a function that makes a case with PyTorch."""

    def register(make: Make) -> Make:
        group = make.__module__.rpartition("cases_")[2]
        cases = _cases.setdefault(group, {})
        assert name not in cases, f"two cases are called {name!r} in group {group!r}"
        cases[name] = (make, dtypes)
        return make

    return register


def groups() -> list[str]:
    """Return the names of all groups, from the files beside this one."""
    return sorted(path.stem.removeprefix("cases_") for path in FOLDER.glob("cases_*.py"))


def names(group: str) -> list[tuple[str, str]]:
    """Return (case, dtype) pairs of a group, for pytest.mark.parametrize."""
    importlib.import_module(f"tests.torch_reference.cases_{group}")
    return [(name, d) for name, (_, dtypes) in _cases[group].items() for d in dtypes]


def make(group: str) -> dict[str, np.ndarray]:
    """Compute a whole group with PyTorch: ``{"case/dtype/array": values}``."""
    import torch

    torch.set_num_threads(1)
    made: dict[str, np.ndarray] = {}
    for name, dtype in names(group):
        seed = zlib.crc32(name.encode())
        rng = np.random.default_rng(seed)
        torch.manual_seed(seed)  # for layers whose first weights PyTorch draws itself
        for key, value in _cases[group][name][0](torch, rng, dtype).items():
            array = value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)
            made[f"{name}/{dtype}/{key}"] = np.ascontiguousarray(array).reshape(array.shape)
    return made


def store(group: str) -> Path:
    """Compute a group and write its file."""
    STORED.mkdir(exist_ok=True)
    path = STORED / f"{group}.safetensors"
    save_file(make(group), path)
    path.chmod(0o644)
    return path


@cache
def stored(group: str) -> dict[str, np.ndarray]:
    """Read a group's file."""
    return load_file(STORED / f"{group}.safetensors")


def reference(group: str, name: str, dtype: str) -> dict[str, np.ndarray]:
    """Return the arrays of one stored case; copies, so that tests can't disturb each other."""
    start = f"{name}/{dtype}/"
    found = {
        k.removeprefix(start): v.copy() for k, v in stored(group).items() if k.startswith(start)
    }
    assert found, f"{start} is not stored: run python -m tests.torch_reference.make_references"
    return found


def tensor(torch: Any, rng: np.random.Generator, *shape: int, dtype: str, grad: bool = True) -> Any:
    """Draw a normal tensor of this shape, whose gradient will be wanted."""
    values = rng.normal(size=shape).astype(dtype)
    return torch.from_numpy(values).requires_grad_(grad)


def run_module(
    torch: Any,
    rng: np.random.Generator,
    module: Any,
    x: Any,
    ours: Callable[[str, Any], tuple[str, Any]] = lambda name, value: (name, value),
) -> dict[str, Any]:
    """Redraw a PyTorch module's weights, run it both ways, and return all that is compared.

    Parameters
    ----------
    ours : callable
        Turns PyTorch's name and value into our name and layout. Names ending in ``weight`` of
        `torch.nn.Linear` are transposed already.
    """
    linear = {
        f"{name}.weight" if name else "weight"
        for name, part in module.named_modules()
        if isinstance(part, torch.nn.Linear)
    }

    def turned(name: str, value: Any) -> tuple[str, Any]:
        return ours(name, value.t() if name in linear else value)

    out: dict[str, Any] = {"x": x}
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.from_numpy(rng.normal(scale=0.5, size=tuple(p.shape))))
    for name, b in module.named_buffers():
        out[f"b.{name}"] = b.clone()
    y = module(x)
    grad = torch.from_numpy(rng.normal(size=tuple(y.shape))).to(y.dtype)
    y.backward(grad)
    out |= {"y": y, "grad": grad}
    if x.requires_grad:
        out["dx"] = x.grad
    for name, p in module.named_parameters():
        key, value = turned(name, p.detach())
        out[f"p.{key}"] = value
        out[f"dp.{key}"] = turned(name, p.grad)[1]
    for name, b in module.named_buffers():
        out[f"b2.{name}"] = b
    return out
