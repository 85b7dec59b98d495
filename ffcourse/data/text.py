"""Short sentences with a feeling, for the smallest real text task."""

from __future__ import annotations

import numpy as np

from ffcourse.data import store
from ffcourse.data.card import Dataset


def load_sentences() -> Dataset:
    """Load short English sentences, half of them pleased, half of them displeased.

    Returns
    -------
    Dataset
        ``X`` (N,) strings; ``y`` (N,) int64 with 0 = negative and 1 = positive.
    """
    described = store.sidecar("sentences")
    rows = [line.split("\t") for line in store.text(described).splitlines()]
    y = np.array([int(label) for label, _ in rows], dtype=np.int64)
    X = np.array([sentence for _, sentence in rows])
    names = tuple(described["feature_names"]), tuple(described["target_names"])
    return Dataset(X, y, *names, store.card(described))
