"""How the shipped networks are built, and which data each of them may see."""

from __future__ import annotations

import string
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ffcourse import data, nn
from ffcourse.nn.module import Array, Module

CONTEXT = 5  # characters that the names model reads
SPLIT_SEED = 15
FIRST, LATER = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9)  # digits of pre-training, digits of transfer


class NamesSplit(NamedTuple):
    """Four sets of names; no name of a test set stands in any other set."""

    pretrain: Array  # surnames
    surnames_test: Array
    train: Array  # female first names, shuffled: train[:100] is a random hundred
    test: Array


class DigitsSplit(NamedTuple):
    """Digits 0 to 4 to pre-train on, digits 5 to 9 (labels 0 to 4) to transfer to."""

    X_first: Array
    y_first: Array
    X_first_test: Array
    y_first_test: Array
    X: Array
    y: Array
    X_test: Array
    y_test: Array


def alphabet() -> data.CharVocabulary:
    """Return the end mark and 26 letters: the 27 symbols of the names model."""
    return data.CharVocabulary([string.ascii_lowercase])


@cache
def names_split() -> NamesSplit:
    """Return the split that the names model was made with.

    855 female first names test. Those of them that are surnames too are kept out of
    pre-training. 2000 surnames that are no female first names measure how much is forgotten.
    """
    surnames, female = data.load_names("surnames").X, data.load_names("female").X
    pretrain, small, test = data.split_names(surnames, female, rng=SPLIT_SEED)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(pretrain))
    first_names = set(female.tolist())
    held_out = [i for i in order if pretrain[i] not in first_names][:2000]
    parts = NamesSplit(np.delete(pretrain, held_out), pretrain[held_out], small, test)
    for names in parts:
        names.setflags(write=False)  # all callers share them
    return parts


def names_model(seed: int = 0) -> nn.Sequential:
    """Return an untrained network from five characters to the scores of the next one."""
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Embedding(27, 16, rng=rng),
        nn.Flatten(),
        nn.Linear(16 * CONTEXT, 128, rng=rng),
        nn.ReLU(),
        nn.Linear(128, 128, rng=rng),
        nn.ReLU(),
        nn.Linear(128, 27, rng=rng),
    )


def digits_split(seed: int = SPLIT_SEED) -> DigitsSplit:
    """Return 8 by 8 pictures from 0 to 1: digits 0 to 4, and digits 5 to 9, each with a test."""
    digits = data.load_digits()
    parts: list[Array] = []
    for group in (FIRST, LATER):
        rows = np.isin(digits.y, group)
        X, y = digits.X[rows] / 16, digits.y[rows] - group[0]
        X_train, X_test, y_train, y_test = data.train_test_split(X, y, test=0.4, rng=seed)
        parts += [X_train, y_train, X_test, y_test]
    return DigitsSplit(*parts)


def digits_model(seed: int = 0, classes: int = 5) -> nn.Sequential:
    """Return an untrained network from 64 pixels to the scores of the classes."""
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Linear(64, 64, rng=rng),
        nn.ReLU(),
        nn.Linear(64, 32, rng=rng),
        nn.ReLU(),
        nn.Linear(32, classes, rng=rng),
    )


def bits_per_char(model: Module, names: Iterable[str]) -> float:
    """Return the mean cross-entropy over all next characters of `names`, in bits.

    Parameters
    ----------
    model : Module
        Five characters to 27 scores.
    names : iterable of str
        Names in lower case.
    """
    X, y = alphabet().contexts(names, CONTEXT)
    model.eval()
    loss: Any = nn.CrossEntropyLoss()(model(X), y)
    return float(loss) / float(np.log(2))
