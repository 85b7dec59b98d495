"""Make the shipped files again: ``python -m ffcourse.train.pretrained.make``.

It takes about ten minutes on one core. ``make([...], epochs=1)`` makes a part of it, for tests.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ffcourse import data, nn
from ffcourse.nn.files import write_atomically
from ffcourse.nn.interop import save_safetensors
from ffcourse.nn.module import Array
from ffcourse.train.adam import Adam
from ffcourse.train.pretrained import measure, recipe
from ffcourse.train.schedules import CosineAnnealingLR
from ffcourse.train.trainer import Trainer

FOLDER = Path(__file__).parent
EPOCHS = {"names": 12, "digits": 40}


def pretrain_names(names: Array, epochs: int = EPOCHS["names"]) -> nn.Sequential:
    """Train the names model on `names`, with Adam, its rate falling along a cosine."""
    X, y = recipe.alphabet().contexts(names, recipe.CONTEXT)
    model = recipe.names_model(0)
    optimizer = Adam(model.parameters(), lr=3e-3)
    schedule = CosineAnnealingLR(optimizer, epochs * -(-len(X) // 512))
    rng = np.random.default_rng(0)
    trainer = Trainer(
        model, nn.CrossEntropyLoss(), optimizer, schedule, schedule_per="step", rng=rng
    )
    trainer.fit((X, y), epochs=epochs, batch_size=512, progress=False)
    model.eval()
    return model


def pretrain_digits(epochs: int = EPOCHS["digits"]) -> nn.Sequential:
    """Train the digits model on the digits 0 to 4."""
    split = recipe.digits_split()
    model = recipe.digits_model(0)
    optimizer = Adam(model.parameters(), lr=3e-3)
    trainer = Trainer(model, nn.CrossEntropyLoss(), optimizer, rng=np.random.default_rng(0))
    trainer.fit((split.X_first, split.y_first), epochs=epochs, progress=False)
    model.eval()
    return model


def write(folder: Path, name: str, model: nn.Sequential, card: dict[str, Any]) -> None:
    """Write the weights, and beside them the card with their checksum."""
    path = folder / f"{name}.safetensors"
    save_safetensors(path, model)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    described = {**card, "file": path.name, "sha256": digest}
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / f"{name}.json", text.encode())


def names_card(model: nn.Sequential, measured: dict[str, Any]) -> dict[str, Any]:
    """Say how the names model was made and what was measured with it."""
    split = recipe.names_split()
    return {
        "title": "Names model: five characters to the next one, pre-trained on surnames",
        "layers": "Embedding(27, 16), Flatten, Linear(80, 128), ReLU, Linear(128, 128), ReLU, "
        "Linear(128, 27)",
        "parameters": model.num_parameters(),
        "made": f"python -m ffcourse.train.pretrained.make: {EPOCHS['names']} epochs of Adam "
        "(0.003, cosine to 0), batches of 512, float32, seed 0",
        "data": f"{len(split.pretrain)} surnames of the US census of 1990 (public domain), without "
        f"the {len(split.test)} first names that test and 2000 surnames that test",
        "licence": "MIT, as the course; the names are in the public domain",
        "bits_per_char": {
            "test surnames": round(recipe.bits_per_char(model, split.surnames_test), 4),
            "test first names": round(recipe.bits_per_char(model, split.test), 4),
        },
        "protocol": "Each run draws its names by its seed; a fifth of them only tells when to "
        "stop. Bits per character on 855 first names and 2000 surnames that no training saw.",
        **measured,
    }


def digits_card(model: nn.Sequential, measured: dict[str, Any]) -> dict[str, Any]:
    """Say how the digits model was made and what was measured with it."""
    split = recipe.digits_split()
    right = float((model(split.X_first_test).argmax(axis=1) == split.y_first_test).mean())
    return {
        "title": "Digits model: 64 pixels to the digits 0 to 4",
        "layers": "Linear(64, 64), ReLU, Linear(64, 32), ReLU, Linear(32, 5)",
        "parameters": model.num_parameters(),
        "made": f"python -m ffcourse.train.pretrained.make: {EPOCHS['digits']} epochs of Adam "
        "(0.003), batches of 32, float32, seed 0",
        "data": f"{len(split.X_first)} pictures of the digits 0 to 4 (E. Alpaydin and C. Kaynak, "
        "Optical recognition of handwritten digits, 1998, CC BY 4.0)",
        "licence": "CC BY 4.0, as the data",
        "share_right": {"test digits 0 to 4": round(right, 4)},
        "protocol": "Each run draws its pictures by its seed, equally many of each digit, and "
        "trains for 600 steps or 10 epochs, whichever is more. Share right of 358 unseen digits "
        "5 to 9.",
        **measured,
    }


def make(
    folder: Path = FOLDER,
    parts: tuple[str, ...] = ("names", "digits"),
    epochs: int | None = None,
    curves: bool = True,
    tell: Callable[[str], None] = print,
) -> None:
    """Pre-train, measure and write.

    Parameters
    ----------
    folder : path
        Where to.
    parts : tuple of str
        "names", "digits", or both.
    epochs : int, optional
        Fewer epochs of pre-training, for tests.
    curves : bool
        False leaves the measurements out.
    tell : callable
        Gets a line after each stage.
    """
    began = time.perf_counter()
    if "digits" in parts:
        model = pretrain_digits(epochs or EPOCHS["digits"])
        measured = {"measured": measure.digits_curves(lambda: model)} if curves else {}
        write(folder, "digits", model, digits_card(model, measured))
        tell(f"digits: {time.perf_counter() - began:.0f} s")
    if "names" in parts:
        model = pretrain_names(recipe.names_split().pretrain, epochs or EPOCHS["names"])
        tell(f"names, pre-trained: {time.perf_counter() - began:.0f} s")
        table = names_measured(model, tell) if curves else {}
        write(folder, "names", model, names_card(model, table))
        tell(f"names: {time.perf_counter() - began:.0f} s")


def names_measured(model: nn.Sequential, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run all measurements with the names model."""
    state = model.state_dict()

    def start() -> nn.Sequential:
        return recipe.names_model(0).load_state_dict(state).to(np.float64)

    curves = measure.names_curves(start)
    tell("curves done")
    remedies = measure.recipes(start)
    tell("remedies done")
    leaky = pretrain_names(data.load_names("surnames").X)
    return {"measured": {**curves, "remedies": remedies, "leak": measure.leak(model, leaky)}}


if __name__ == "__main__":
    make()
