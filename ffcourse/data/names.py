"""Names for character models, and a split that keeps test names out of pre-training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ffcourse.data import store
from ffcourse.data.card import Dataset
from ffcourse.data.check import Array, Rng, as_rng, as_rows, fraction, whole

FILES = {"surnames": "surnames", "female": "female_names", "male": "male_names"}


def load_names(which: str = "surnames", *, top: int | None = None) -> Dataset:
    """Load names of the United States census of 1990, in lower case, most frequent first.

    Parameters
    ----------
    which : {"surnames", "female", "male"}
        88799 surnames, 4275 female or 1219 male first names.
    top : int, optional
        Keep only this many of the most frequent names.

    Returns
    -------
    Dataset
        ``X`` (N,) strings, ``y`` (N,) float32 share of the people in percent.
    """
    if which not in FILES:
        raise ValueError(f"which must be one of {', '.join(map(repr, FILES))}, got {which!r}.")
    described = store.sidecar(FILES[which])
    lines = store.text(described).lower().splitlines()[1:]
    if top is not None:
        lines = lines[: whole(top, "top")]
    names, shares = zip(*(line.split(",") for line in lines), strict=True)
    columns = tuple(described["feature_names"]), tuple(described["target_names"])
    y = np.array(shares, dtype=np.float32)
    return Dataset(np.array(names), y, *columns, store.card(described))


def split_names(
    pretrain: Sequence[str] | Array,
    finetune: Sequence[str] | Array,
    *,
    test: float = 0.2,
    rng: Rng,
) -> tuple[Array, Array, Array]:
    """Split names for fine-tuning, with no test name seen anywhere in training.

    1,325 of the female first names are surnames too. A model pre-trained on surnames would
    have seen them, and a test on them would measure memory.

    Parameters
    ----------
    pretrain : sequence of str
        Names of the large set, such as surnames.
    finetune : sequence of str
        Names of the small set, such as first names.
    test : float
        Share of `finetune` that tests.
    rng : Generator or int
        Where the shuffle comes from.

    Returns
    -------
    pretrain, train, test : ndarray of str
        Without doubles; `pretrain` without the test names, `train` and `test` shuffled, so that
        ``train[:100]`` is a random hundred.
    """
    if rng is None:
        raise TypeError("rng must be a NumPy Generator or an integer seed.")
    big = as_rows(_strings(pretrain, "pretrain"), "pretrain")
    small = np.array(list(dict.fromkeys(_strings(finetune, "finetune"))))
    n_test = int(np.floor(len(small) * fraction(test, "test") + 0.5))
    if not 0 < n_test < len(small):
        raise ValueError(f"test={test} of {len(small)} names leaves one part empty.")
    order = as_rng(rng).permutation(len(small))
    held_out = small[order[:n_test]]
    hidden = set(held_out.tolist())
    kept = [name for name in dict.fromkeys(big.tolist()) if name not in hidden]
    return np.array(kept), small[order[n_test:]], held_out


def _strings(values: Any, name: str) -> list[str]:
    if isinstance(values, str):
        raise TypeError(f"{name} must be a sequence of strings, but it is a single string.")
    if not hasattr(values, "__len__"):
        raise TypeError(f"{name} must be a sequence of strings, but got {type(values).__name__}.")
    texts = [str(value) for value in values if isinstance(value, str)]
    if len(texts) != len(values):
        raise TypeError(f"{name} must hold strings only.")
    if not texts:
        raise ValueError(f"{name} is empty. Give at least one string.")
    return texts
