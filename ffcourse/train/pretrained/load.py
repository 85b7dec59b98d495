"""Load what is shipped, after verifying that it is what was shipped."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from ffcourse import nn
from ffcourse.nn.interop import load_safetensors
from ffcourse.train.pretrained import recipe

FOLDER = Path(__file__).parent
MODELS = {"names": recipe.names_model, "digits": recipe.digits_model}


def load_pretrained(name: str, *, dtype: Any = np.float32) -> nn.Sequential:
    """Return a pre-trained network, a new copy at each call, in evaluation mode.

    Parameters
    ----------
    name : {"names", "digits"}
        "names" reads five characters and scores the next one; it was trained on surnames.
        "digits" reads 64 pixels and scores the digits 0 to 4.
    dtype : dtype
        Of the parameters; the files hold float32.

    Raises
    ------
    ValueError
        If there is no such network, or its file is not the one that was shipped.
    FileNotFoundError
        If its file is missing.
    """
    card = describe(name)
    path = FOLDER / card["file"]
    if not path.is_file():
        raise FileNotFoundError(
            f"The weights {path.name} are missing from the installed package. "
            "Restore the file (git checkout) or reinstall ffcourse."
        )
    if hashlib.sha256(path.read_bytes()).hexdigest() != card["sha256"]:
        raise ValueError(
            f"The weights {path.name} are not those that the course was made with: their SHA-256 "
            "differs from their card's. Restore the file (git checkout) or reinstall ffcourse."
        )
    model = MODELS[name]()
    load_safetensors(path, model)
    model.to(dtype)
    model.eval()
    return model


def describe(name: str) -> dict[str, Any]:
    """Return the card of a pre-trained network: how it was made, licence, and measurements.

    Parameters
    ----------
    name : {"names", "digits"}
        Which network.
    """
    if name not in MODELS:
        known = ", ".join(map(repr, MODELS))
        raise ValueError(f"name: there is no pre-trained network {name!r}; there are {known}.")
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"The card {path.name} is missing from the installed package. "
            "Restore the file (git checkout) or reinstall ffcourse."
        )
    card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return card
