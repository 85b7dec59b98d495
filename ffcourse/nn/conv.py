"""Two-dimensional convolution (cross-correlation, as in every deep-learning library).

Each output pixel is the dot product of one filter with one patch of the image. Writing all
patches as the columns of a matrix turns the whole layer into one matrix product::

    columns  (C·kh·kw, OH·OW·N)      patch values down, places and images across
    output = W @ columns             W: (O, C·kh·kw), one filter a row

and its derivatives into two more::

    dW       = d output @ columnsᵀ
    dcolumns = Wᵀ @ d output         then every value is added back to the pixel it came from

Inside the layer the batch is the last axis: (C, H, W, N). Moving a filter by one pixel then moves
whole runs of N numbers, so that cutting out patches is copying long contiguous stretches. Input
and output have the usual shape (N, C, H, W); the output is a view of the batch-last array, and
element-wise layers and pooling, which follow the order in memory, keep it so from layer to layer.
"""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ffcourse.nn.checks import check_gradient, whole
from ffcourse.nn.module import Array, Module, Parameter, check_float_batch
from ffcourse.nn.reductions import row_sums

Size = int | tuple[int, int]


def pair(value: Size, name: str, at_least: int) -> tuple[int, int]:
    """Return (height, width) for an int or a pair of ints, each not below `at_least`."""
    two = value if isinstance(value, tuple | list) else (value, value)
    if len(two) != 2 or any(not isinstance(v, int | np.integer) or v < at_least for v in two):
        raise ValueError(
            f"{name} must be an int or a pair (height, width) of ints of at least {at_least}, "
            f"got {value!r}."
        )
    return int(two[0]), int(two[1])


def check_image_batch(
    x: Any, name: str, channels: int | None, window: tuple[int, int], dtype: Any = None
) -> Array:
    """Return `x` as a batch of images that a `window` fits into, or raise one clear error."""
    x = check_float_batch(x, name, dtype=dtype)
    wanted = f"(N, {'C' if channels is None else channels}, H, W)"
    if x.ndim != 4 or channels not in (None, x.shape[1]):
        raise ValueError(
            f"{name}: x must have shape {wanted}: images, channels, height, width; got {x.shape}. "
            "For a batch of grey images use x[:, None]."
        )
    if x.shape[2] < window[0] or x.shape[3] < window[1]:
        raise ValueError(
            f"{name}: x has images of {x.shape[2:]} pixels, the window needs at least {window}; "
            "use larger images, a smaller kernel or more padding."
        )
    return x


class Conv2d(Module):
    """Slide `out_channels` filters over a batch of images.

    Parameters
    ----------
    in_channels, out_channels : int
        Number of input channels and of filters.
    kernel_size, stride, padding : int or (int, int)
        Height and width of the filters; step between places; rows and columns of zeros added
        on each side.
    bias : bool
        Whether each filter has a bias.
    rng : numpy.random.Generator, optional
        Draws the initial weights: uniform in ±1/√(C·kh·kw), PyTorch's default.
    dtype : dtype
        Type of the weights.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels, kh, kw)
        Same order as in PyTorch: ``weight.data[o, c]`` is a small picture.
    bias : Parameter, shape (out_channels,), or None

    Notes
    -----
    (N, C, H, W) -> (N, O, OH, OW), OH = (H + 2·padding - kh) // stride + 1. The filter is not
    flipped, so mathematically this is a cross-correlation.
    """

    __slots__ = (  # noqa: RUF023 (their order is that of the table)
        "kernel_size",
        "stride",
        "padding",
        "weight",
        "bias",
        "_x_shape",
        "_padded",
        "_columns",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float32,
    ) -> None:
        whole(in_channels, "Conv2d: in_channels")
        whole(out_channels, "Conv2d: out_channels")
        self.kernel_size = kh, kw = pair(kernel_size, "kernel_size", 1)
        self.stride = pair(stride, "stride", 1)
        self.padding = pair(padding, "padding", 0)
        rng = np.random.default_rng(rng)
        bound = 1 / np.sqrt(in_channels * kh * kw)
        shape = (out_channels, in_channels, kh, kw)
        self.weight = Parameter(rng.uniform(-bound, bound, shape).astype(dtype))
        self.bias = (
            Parameter(rng.uniform(-bound, bound, out_channels).astype(dtype)) if bias else None
        )
        self._x_shape: tuple[int, ...] = ()

    def check_input(self, x: Any) -> Array:
        """Return `x` as (N, C, H, W) in the type of the weights, or raise one clear error."""
        (kh, kw), (ph, pw) = self.kernel_size, self.padding
        least = (max(kh - 2 * ph, 1), max(kw - 2 * pw, 1))
        weight = self.weight.data
        return check_image_batch(x, type(self).__name__, weight.shape[1], least, weight.dtype)

    def forward(self, x: Array) -> Array:
        """(N, C, H, W) -> (N, O, OH, OW)."""
        if x.shape != self._x_shape or x.dtype != self._columns.dtype:
            self._prepare(x)
        (N, C, H, W), (ph, pw) = x.shape, self.padding
        self._padded[:, ph : ph + H, pw : pw + W] = x.transpose(1, 2, 3, 0)
        np.copyto(self._columns, self._patches())
        _, kh, kw, OH, OW, _ = self._columns.shape
        columns = self._columns.reshape(C * kh * kw, OH * OW * N)
        out = self.weight.data.reshape(-1, C * kh * kw) @ columns  # (O, OH·OW·N)
        if self.bias is not None:
            out += self.bias.data[:, None]
        return out.reshape(-1, OH, OW, N).transpose(3, 0, 1, 2)

    def backward(self, grad: Array) -> Array:
        """(N, O, OH, OW) -> (N, C, H, W)."""
        g = self._backward_weights(grad)
        W = self.weight.data.reshape(len(g), -1)
        return self._add_back(W.T @ g)

    def backward_params(self, grad: Array) -> None:
        """Do the work of ``backward`` without the gradient of the input."""
        self._backward_weights(grad)

    def _backward_weights(self, grad: Array) -> Array:
        """Add to the gradients of filters and biases; return `grad` as (O, OH·OW·N)."""
        _, _, _, OH, OW, N = self._columns.shape
        check_gradient(self, grad, (N, len(self.weight.data), OH, OW))
        g = grad.transpose(1, 2, 3, 0).reshape(grad.shape[1], -1)  # a view if batch-last already
        if self.weight.requires_grad:
            columns = self._columns.reshape(-1, g.shape[1])
            dW = (columns @ g.T).T  # quicker than g @ columns.T: the larger factor is read in order
            self.weight.accumulate(dW.reshape(self.weight.shape))
        if self.bias is not None and self.bias.requires_grad:
            self.bias.accumulate(row_sums(g))
        return g

    def _prepare(self, x: Array) -> None:
        """Make the arrays that batches of this shape are copied into, once for many steps."""
        (N, C, H, W), (kh, kw) = x.shape, self.kernel_size
        (sh, sw), (ph, pw) = self.stride, self.padding
        Hp, Wp = H + 2 * ph, W + 2 * pw
        OH, OW = (Hp - kh) // sh + 1, (Wp - kw) // sw + 1
        self._x_shape = x.shape
        self._padded = np.zeros((C, Hp, Wp, N), x.dtype)  # the border stays zero: nobody writes it
        self._columns = np.empty((C, kh, kw, OH, OW, N), x.dtype)

    def _patches(self) -> Array:
        """View the padded images as (C, kh, kw, OH, OW, N): pixel (i, j) of each patch."""
        (sh, sw), (c, h, w, n) = self.stride, self._padded.strides
        steps = (
            c,
            h,
            w,
            sh * h,
            sw * w,
            n,
        )  # one pixel on inside a patch; one stride on to the next
        return as_strided(self._padded, self._columns.shape, steps, writeable=False)

    def _add_back(self, dcolumns: Array) -> Array:
        """Add the gradient of each patch's pixel (i, j) to the pixel of the image it came from."""
        (kh, kw), (sh, sw), (ph, pw) = self.kernel_size, self.stride, self.padding
        (_, _, H, W), (_, _, _, OH, OW, _) = self._x_shape, self._columns.shape
        patches = dcolumns.reshape(self._columns.shape)
        dx: Array = np.zeros(self._padded.shape, dcolumns.dtype)
        for i in range(kh):
            for j in range(kw):
                dx[:, i : i + sh * OH : sh, j : j + sw * OW : sw] += patches[:, i, j]
        return dx[:, ph : ph + H, pw : pw + W].transpose(3, 0, 1, 2)

    def extra_repr(self) -> str:
        """Channels, kernel size, and what differs from the defaults."""
        out_channels, in_channels = self.weight.shape[:2]
        text = f"{in_channels}, {out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}" if self.stride != (1, 1) else ""
        text += f", padding={self.padding}" if self.padding != (0, 0) else ""
        return text + ("" if self.bias is not None else ", bias=False")
