"""Numbers that say how good the answers are, beside the loss."""

from __future__ import annotations

import numpy as np

from ffcourse.nn.module import Array


def accuracy(logits: Array, target: Array) -> float:
    """Share of right answers.

    Parameters
    ----------
    logits : ndarray, shape (N, ..., C), or that of `target`
        With one axis more than `target`: a score for each of C classes, the largest wins.
        Otherwise one score for each answer: above zero means class 1.
    target : ndarray
        Class numbers, or 0 and 1.
    """
    logits, target = np.asarray(logits), np.asarray(target)
    if logits.ndim == target.ndim + 1 and logits.shape[-1] > 1:
        said = logits.argmax(axis=-1)
    else:
        said = (logits > 0).reshape(target.shape)
    return float(np.mean(said == target))
