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

    Raises
    ------
    ValueError
        If the shapes don't fit, or there is nothing to count.
    TypeError
        If either does not hold numbers.
    """
    logits, target = np.asarray(logits), np.asarray(target)
    for name, a in (("logits", logits), ("target", target)):
        if a.dtype.kind not in "fiub":
            raise TypeError(f"accuracy: {name} must hold numbers, got dtype {a.dtype}")
    choose = logits.ndim == target.ndim + 1 and logits.shape[-1] > 1
    if target.size == 0 or (
        logits.shape[:-1] != target.shape if choose else logits.size != target.size
    ):
        raise ValueError(
            "accuracy: expected a score for each class of each answer, or one score for each "
            f"answer; got logits of shape {logits.shape} and a target of shape {target.shape}"
        )
    said = logits.argmax(axis=-1) if choose else (logits > 0).reshape(target.shape)
    return float(np.mean(said == target))
