"""Weights to and from PyTorch, and safetensors files; PyTorch itself is not needed.

What differs between the two:

=====================  ===============================  ====================================
layer                  here                             PyTorch
=====================  ===============================  ====================================
Linear                 ``weight`` (in, out)             ``weight`` (out, in)
RNN, LSTM, GRU         ``weight_ih`` (in, gates·H)      ``weight_ih_l0`` (gates·H, in)
self-attention         ``in_proj.weight`` (D, 3·D)      ``in_proj_weight`` (3·D, D)
transformer block      ``attention``,                   ``self_attn``,
                       ``feedforward.up``, ``.down``    ``linear1``, ``linear2``
=====================  ===============================  ====================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ffcourse.nn.attention import MultiHeadSelfAttention
from ffcourse.nn.feedforward import FeedForward
from ffcourse.nn.files import write_atomically
from ffcourse.nn.linear import Linear
from ffcourse.nn.module import Array, Module, Parameter
from ffcourse.nn.recurrent import Recurrent
from ffcourse.nn.transformer import TransformerBlock

Rename = Callable[[str], str]


class _Pair(NamedTuple):
    """One array under its name here and its name in PyTorch."""

    ours: str
    theirs: str
    transposed: bool


def to_torch(model: Module, rename: Rename | None = None) -> dict[str, Array]:
    """Return the weights of `model` with the names and layouts of PyTorch.

    Parameters
    ----------
    model : Module
        Of which PyTorch has a counterpart that is built alike.
    rename : callable, optional
        Gets each of PyTorch's names as they follow from `model`, returns the one to use.

    Returns
    -------
    dict of str to ndarray
        Copies; for ``torch_model.load_state_dict``, turn each into a tensor with
        ``torch.from_numpy``.
    """
    state = model.state_dict()
    theirs: dict[str, Array] = {}
    for pair in _pairs(model):
        name = (rename or str)(pair.theirs)
        if name in theirs:
            raise ValueError(f"rename: gave the name {name!r} twice; each array needs its own")
        theirs[name] = _turned(state[pair.ours], pair).copy()
    return theirs


def from_torch(
    model: Module, state: Mapping[str, Any], rename: Rename | None = None, *, strict: bool = True
) -> Module:
    """Copy the weights of a PyTorch model into `model`.

    Parameters
    ----------
    model : Module
        Is changed, unless something does not fit.
    state : mapping of str to tensor or ndarray
        ``torch_model.state_dict()``, or a safetensors file as read by `load_safetensors`.
    rename : callable, optional
        As for `to_torch`: gets the name that is expected, returns the one in `state`.
    strict : bool
        False passes over names that only one side has.

    Returns
    -------
    Module
        The same `model`.

    Raises
    ------
    ValueError
        If a name is missing or left over, or a shape differs.
    """
    ours: dict[str, Array] = {}
    names = {(rename or str)(pair.theirs): pair for pair in _pairs(model)}
    missing = [name for name in names if name not in state]
    left_over = [name for name in state if name not in names]
    if strict and (missing or left_over):
        raise ValueError(
            f"state does not fit {type(model).__name__}: missing {missing or 'nothing'}, "
            f"not expected {left_over or 'nothing'}; build the model alike, or pass rename"
        )
    for name, pair in names.items():
        if name in state:
            ours[pair.ours] = _turned(_as_array(state[name]), pair)
    return model.load_state_dict(ours, strict=False)


def save_safetensors(
    path: str | Path, model: Module | Mapping[str, Any], metadata: dict[str, str] | None = None
) -> None:
    """Write weights to a safetensors file, atomically.

    Parameters
    ----------
    path : path
        Where to; a folder that is missing is made.
    model : Module, or mapping of str to array
        A model is written with our own names; ``to_torch(model)`` writes PyTorch's.
    metadata : dict of str to str, optional
        Notes that are kept in the file.
    """
    state = model.state_dict() if isinstance(model, Module) else model
    if not isinstance(state, Mapping):
        raise TypeError(
            "save_safetensors: expected a path, then a model or a dict of arrays, "
            f"got {type(path).__name__} and {type(model).__name__}"
        )
    arrays = {name: np.array(_as_array(a), order="C") for name, a in state.items()}
    for name, a in arrays.items():
        if a.dtype.kind not in "fiub":
            raise TypeError(f"save_safetensors: {name} must hold numbers, got dtype {a.dtype}")
    write_atomically(Path(path), save(arrays, metadata))


def load_safetensors(path: str | Path, model: Module | None = None) -> dict[str, Array]:
    """Read a safetensors file; with a `model`, copy the weights into it.

    Parameters
    ----------
    path : path
        Of the file.
    model : Module, optional
        Is changed, unless something does not fit.

    Returns
    -------
    dict of str to ndarray
        All arrays of the file, in the order of their names.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, holds a type that NumPy lacks, or does not fit `model`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        state: dict[str, Array] = dict(sorted(load(path.read_bytes()).items()))  # always in order
    except SafetensorError as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from error
    except KeyError as error:  # such as bfloat16
        raise ValueError(
            f"{path} holds numbers of the type {error}, which NumPy does not have; "
            "convert them in PyTorch with .float() and save them again"
        ) from error
    if model is not None:
        model.load_state_dict(state)
    return state


def _pairs(module: Module, ours: str = "", theirs: str = "") -> Iterator[_Pair]:
    """Yield every array of `module` with both its names, which begin with `ours` and `theirs`."""
    own = [name for name, value in module._attributes() if isinstance(value, Parameter)]
    suffix = "_l0" if isinstance(module, Recurrent) else ""  # PyTorch numbers stacked layers
    for name in [*own, *module.buffer_names]:
        transposed = isinstance(module, Linear | Recurrent) and name.startswith("weight")
        yield _Pair(ours + name, theirs + name + suffix, transposed)
    for name, child in module.named_children():
        yield from _pairs(child, f"{ours}{name}.", theirs + _their_prefix(module, name))


def _their_prefix(parent: Module, child: str) -> str:
    """Return what PyTorch puts before the names of the arrays of this child."""
    if isinstance(parent, MultiHeadSelfAttention) and child == "in_proj":
        return "in_proj_"
    if isinstance(parent, TransformerBlock):
        return {"attention": "self_attn.", "feedforward": ""}.get(child, f"{child}.")
    if isinstance(parent, FeedForward):
        return {"up": "linear1.", "down": "linear2."}.get(child, f"{child}.")
    return f"{child}."


def _turned(a: Array, pair: _Pair) -> Array:
    return a.T if pair.transposed else a


def _as_array(value: Any) -> Array:
    if hasattr(value, "detach"):  # a tensor
        value = value.detach().cpu()
        if "bfloat16" in str(value.dtype):  # NumPy has no such type; float32 holds it exactly
            value = value.float()
        value = value.numpy()
    return np.asarray(value)
