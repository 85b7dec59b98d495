"""Distillation: a small network learns from a large one's whole answer, not only the label."""

from __future__ import annotations

import numpy as np

from ffcourse.nn.checks import as_array, number
from ffcourse.nn.cross_entropy import CrossEntropyLoss
from ffcourse.nn.functional import log_softmax
from ffcourse.nn.module import Array


class DistillationLoss:
    """``alpha * T**2 * KL(teacher || student) + (1 - alpha) * cross-entropy(student, labels)``.

    The KL divergence compares softmax(logits / T). A temperature T above 1 shows how the teacher
    ranks the wrong classes; its gradients shrink with 1 / T**2, and the factor makes up for it
    (Hinton and others, see below).

    Parameters
    ----------
    temperature : float
        Positive.
    alpha : float
        Share of the teacher, in [0, 1].

    Raises
    ------
    ValueError
        If an option is out of range, or teacher and student differ in shape.

    References
    ----------
    G. Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural network",
    arXiv:1503.02531, 2015.
    """

    __slots__ = ("_grad", "alpha", "hard", "temperature")

    def __init__(self, temperature: float = 2.0, alpha: float = 0.5) -> None:
        if number(temperature, "temperature", 0) == 0:
            raise ValueError(f"temperature must be positive, got {temperature}.")
        self.temperature, self.alpha = temperature, number(alpha, "alpha", 0, 1)
        self.hard = CrossEntropyLoss()
        self._grad: Array | None = None

    def forward(self, logits: Array, target: Array, teacher_logits: Array) -> float:
        """Return the loss.

        Parameters
        ----------
        logits, teacher_logits : ndarray, shape (..., classes)
            Outputs of the student and of the teacher.
        target : ndarray of int, shape (...)
            The right classes.
        """
        logits = as_array(logits, "DistillationLoss: logits")
        teacher_logits = as_array(teacher_logits, "DistillationLoss: teacher_logits")
        if np.shape(teacher_logits) != np.shape(logits):
            raise ValueError(
                "DistillationLoss: teacher_logits must have the shape of the logits, "
                f"{np.shape(logits)}, got {np.shape(teacher_logits)}."
            )
        hard_loss = self.hard.forward(logits, target)
        t, examples = self.temperature, np.size(target)
        log_student = log_softmax(logits / t)
        log_teacher = log_softmax(teacher_logits / t)
        teacher = np.exp(log_teacher)
        divergence = float((teacher * (log_teacher - log_student)).sum()) / examples
        # d KL / d logits is (student - teacher) / T: one T of T**2 is left.
        soft_grad = (np.exp(log_student) - teacher) * (self.alpha * t / examples)
        self._grad = soft_grad + (1 - self.alpha) * self.hard.backward()
        return self.alpha * t * t * divergence + (1 - self.alpha) * hard_loss

    def backward(self) -> Array:
        """Return d loss / d student logits."""
        if self._grad is None:
            raise RuntimeError(
                "DistillationLoss: call it with logits and target before backward()."
            )
        return self._grad.copy()

    def __call__(self, logits: Array, target: Array, teacher_logits: Array) -> float:
        """Return the loss."""
        return self.forward(logits, target, teacher_logits)

    def __repr__(self) -> str:
        return f"DistillationLoss(temperature={self.temperature}, alpha={self.alpha})"
