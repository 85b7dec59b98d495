"""Batch normalisation: give every feature the same spread over the batch."""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ffcourse.nn.checks import check_gradient, number, whole
from ffcourse.nn.module import Array, Module, Parameter, check_float_batch


class BatchNorm1d(Module):
    """Normalise each feature over the batch, then scale and shift.

    ``y = (x - mean) / sqrt(var + eps) * weight + bias``

    In training, mean and variance are the batch's, and running averages of them are kept:
    ``running = (1 - momentum) * running + momentum * batch``. In evaluation the running averages
    are used, so that an example's output does not depend on its company. As in PyTorch, the
    batch is divided by the biased variance, while the running variance is unbiased.

    Parameters
    ----------
    num_features : int
        Size of axis 1.
    eps : float
        Keeps the division finite.
    momentum : float or None
        Share of the new batch in the running averages; None averages all batches evenly.
    affine : bool
        False leaves out `weight` and `bias`.
    track_running_stats : bool
        False keeps no running averages; batch statistics are used in evaluation, too.
    dtype : dtype
        Of parameters and running averages.

    Raises
    ------
    ValueError
        If an option is out of range, or, in training, there is one value per feature only.

    Notes
    -----
    S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network training by reducing
    internal covariate shift" (2015).
    """

    __slots__ = (  # noqa: RUF023 (the order of the parameters)
        "num_features",
        "eps",
        "momentum",
        "track_running_stats",
        "weight",
        "bias",
        "running_mean",
        "running_var",
        "num_batches_tracked",
        "_batch",
        "_normal",
        "_rstd",
    )
    buffer_names: ClassVar[tuple[str, ...]] = ("running_mean", "running_var", "num_batches_tracked")
    dimensions: ClassVar[tuple[int, ...]] = (2, 3)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: Any = np.float32,
    ) -> None:
        name = type(self).__name__
        self.num_features = whole(num_features, f"{name}: num_features")
        self.eps = number(eps, f"{name}: eps", 0)
        self.momentum = None if momentum is None else number(momentum, f"{name}: momentum", 0, 1)
        self.track_running_stats = track_running_stats
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine else None
        self.running_mean = np.zeros(num_features, dtype)
        self.running_var = np.ones(num_features, dtype)
        self.num_batches_tracked = np.zeros((), np.int64)

    def forward(self, x: Array) -> Array:
        """(N, num_features) or (N, num_features, length) -> the same shape."""
        self._batch = self.training or not self.track_running_stats
        mean, variance = self._batch_statistics(x) if self._batch else self._running(x)
        self._rstd = 1 / np.sqrt(variance + self.eps)
        self._normal = (x - mean) * self._rstd
        if self.weight is None or self.bias is None:
            return self._normal
        y: Array = self._normal * spread(self.weight.data, x.ndim)
        y += spread(self.bias.data, x.ndim)
        return y

    def backward(self, grad: Array) -> Array:
        """Return d loss / d x; add to the gradients of weight and bias."""
        check_gradient(self, grad, self._normal.shape)
        axes = all_but_features(grad.ndim)
        dy_sum, dyn_sum = grad.sum(axis=axes), (grad * self._normal).sum(axis=axes)
        scale = self._rstd
        if self.weight is not None and self.bias is not None:
            self.weight.accumulate(dyn_sum.copy())
            self.bias.accumulate(dy_sum.copy())
            scale = scale * spread(self.weight.data, grad.ndim)
        if not self._batch:  # the statistics were constants
            return grad * scale
        m = grad.size // self.num_features
        dx = grad - spread(dy_sum / m, grad.ndim)
        dx -= self._normal * spread(dyn_sum / m, grad.ndim)
        dx *= scale
        return dx

    def _batch_statistics(self, x: Array) -> tuple[Array, Array]:
        """Mean and biased variance of each feature; updates the running averages."""
        axes = all_but_features(x.ndim)
        m = x.size // self.num_features
        if m == 1:
            raise ValueError(
                f"{type(self).__name__}: more than one value per feature is needed in training, "
                f"got x of shape {x.shape}; use a larger batch, or eval()."
            )
        mean = x.mean(axis=axes, keepdims=True)
        variance = np.square(x - mean).mean(axis=axes, keepdims=True)
        if self.track_running_stats and self.training:
            self.num_batches_tracked += 1
            share = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
            self.running_mean += share * (mean.ravel() - self.running_mean)
            self.running_var += share * (variance.ravel() * (m / (m - 1)) - self.running_var)
        return mean, variance

    def _running(self, x: Array) -> tuple[Array, Array]:
        return spread(self.running_mean, x.ndim), spread(self.running_var, x.ndim)

    def check_input(self, x: Any) -> Array:
        """Expect floating-point numbers with the features on axis 1."""
        x = check_float_batch(x, type(self).__name__)
        if x.ndim not in self.dimensions or x.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: x must have {' or '.join(map(str, self.dimensions))} "
                f"axes and {self.num_features} features on axis 1, got shape {x.shape}."
            )
        return x

    def extra_repr(self) -> str:
        """Show the settings."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm2d(BatchNorm1d):
    """The same for images: (N, channels, height, width), each channel a feature.

    Parameters, errors and source as in `BatchNorm1d`; `num_features` is the number of channels.
    """

    __slots__ = ()
    dimensions: ClassVar[tuple[int, ...]] = (4,)


def all_but_features(ndim: int) -> tuple[int, ...]:
    """Return all axes except axis 1."""
    return (0, *range(2, ndim))


def spread(values: Array, ndim: int) -> Array:
    """Reshape one value per feature so that it broadcasts along axis 1."""
    return values.reshape(1, -1, *(1,) * (ndim - 2))
