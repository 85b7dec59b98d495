"""Checkpoints: everything that training needs to go on, in one file that is never half written.

The file is in the safetensors format, so that any reader of it finds the weights under
``model.<name>``. What is not an array (epoch, history, random states, options) stands as JSON in
the file's header. One file, and not two, because one file can be replaced at one stroke: whoever
is killed while writing leaves the old checkpoint as it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ffcourse.nn.files import write_atomically
from ffcourse.nn.module import Array

KEY = "ffcourse_checkpoint"
ARRAY = "__array__"  # {"__array__": "model.weight"} in the JSON: see the tensor of that name


def save_checkpoint(path: str | Path, tree: Mapping[str, Any]) -> None:
    """Write `tree`, nested dicts and lists of arrays and JSON values, to `path`, atomically.

    Parameters
    ----------
    path : path
        Where to; a folder that is missing is made.
    tree : mapping
        Keys are strings; arrays may be of any shape.

    Raises
    ------
    TypeError
        If `tree` holds something else; then nothing is written.
    OSError
        If the file cannot be written; an older one is as it was.
    """
    arrays: dict[str, Array] = {}
    text = json.dumps(_take_arrays_out(tree, "", arrays))
    write_atomically(Path(path), save(arrays, metadata={KEY: text}))


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return the tree that was saved to `path`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a checkpoint.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no checkpoint at {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(KEY)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from error
    if text is None:
        raise ValueError(f"{path} holds tensors but no checkpoint; load it with nn.interop")
    try:
        tree: dict[str, Any] = _put_arrays_in(json.loads(text), arrays)
    except (json.JSONDecodeError, KeyError) as error:
        raise ValueError(f"{path} is a damaged checkpoint: its header says {error}") from error
    return tree


def _take_arrays_out(node: Any, name: str, arrays: dict[str, Array]) -> Any:
    if isinstance(node, np.ndarray):
        if node.dtype.kind not in "fiub":
            raise TypeError(f"{name}: expected an array of numbers, got dtype {node.dtype}")
        arrays[name] = np.array(node, order="C")
        return {ARRAY: name}
    if isinstance(node, Mapping):
        dot = f"{name}." if name else ""
        return {str(k): _take_arrays_out(v, f"{dot}{k}", arrays) for k, v in node.items()}
    if isinstance(node, list | tuple):
        return [_take_arrays_out(v, f"{name}.{i}", arrays) for i, v in enumerate(node)]
    if not isinstance(node, str | int | float | None | np.generic):
        raise TypeError(
            f"{name}: expected an array, a number, a text, None, or lists and dicts of these, "
            f"got {type(node).__name__}"
        )
    return node.item() if isinstance(node, np.generic) else node


def _put_arrays_in(node: Any, arrays: Mapping[str, Array]) -> Any:
    if isinstance(node, dict):
        if ARRAY in node:
            return arrays[node[ARRAY]]
        return {k: _put_arrays_in(v, arrays) for k, v in node.items()}
    if isinstance(node, list):
        return [_put_arrays_in(v, arrays) for v in node]
    return node
