"""The GRU: gates as in the LSTM, but a single state and one gate fewer.

At each step, with reset gate r and update gate z between 0 and 1 and a candidate n::

    r  = σ(x @ W_ir + b_ir + h @ W_hr + b_hr)
    z  = σ(x @ W_iz + b_iz + h @ W_hz + b_hz)
    n  = tanh(x @ W_in + b_in + r·(h @ W_hn + b_hn))
    h' = (1-z)·n + z·h

The reset gate acts after the matrix product, as in PyTorch and cuDNN; in the original article it
acts on h before it. This is also why the two biases of n are not the same thing.

The two parts of n are needed one by one. So the stacked matrix has four blocks of columns: r, z,
m = h @ W_hn + b_hn, and y = x @ W_in + b_in. Backward, everything is a number known from the
forward pass times dh::

    d(pre-activation of z) = dh · (h - n)·z·(1-z)
    dy                     = dh · (1-z)·(1-n²)
    dm                     = dy · r
    d(pre-activation of r) = dy · m·r·(1-r)
    dh = dh·z + d(pre-activation of r, of z, m) @ W_hhᵀ
"""

from __future__ import annotations

import numpy as np

from ffcourse.nn.module import Array
from ffcourse.nn.recurrent import Recurrent, State, by_gate, sigmoid_of_minus


class GRU(Recurrent):
    """Gated recurrent unit; gates in the order r, z, n, as in PyTorch.

    See `Recurrent` for parameters and shapes.

    References
    ----------
    K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation", EMNLP 2014.
    """

    __slots__ = ()
    gates = 3

    def _stacked(self) -> Array:
        """Stack weights and biases as (H+I+1, 4H): columns r, z, m (no x), y (no h)."""
        H, w_hh, w_ih = self.hidden_size, self.weight_hh.data, self.weight_ih.data
        b_hh, b_ih = self.bias_hh.data, self.bias_ih.data
        W = self._buffers.empty("stack", (H + self.input_size + 1, 4 * H), w_hh.dtype)
        W[...] = 0
        r_z, n, m, y = slice(2 * H), slice(2 * H, None), slice(2 * H, 3 * H), slice(3 * H, None)
        W[:H, : 3 * H] = w_hh
        W[H:-1, r_z], W[H:-1, y] = w_ih[:, r_z], w_ih[:, n]
        W[-1, r_z], W[-1, m], W[-1, y] = b_hh[r_z] + b_ih[r_z], b_hh[n], b_ih[n]
        return W

    def _add_stacked(self, dW: Array) -> None:
        """Add the gradient of the stacked matrix to those of its parts."""
        H = self.hidden_size
        d_hidden = dW[:, : 3 * H]
        d_input = np.delete(dW, slice(2 * H, 3 * H), axis=1)
        self.weight_hh.accumulate(d_hidden[:H].copy())
        self.weight_ih.accumulate(d_input[H:-1].copy())
        self.bias_hh.accumulate(d_hidden[-1].copy())
        self.bias_ih.accumulate(d_input[-1].copy())

    @np.errstate(over="ignore")  # see sigmoid_of_minus
    def _steps(self, reads: Array, W: Array, start: State) -> State:
        (T, B), H, dtype = (len(reads) - 1, reads.shape[1]), self.hidden_size, reads.dtype
        gates = self._buffers.empty("gates", (T, 4, B, H), dtype)  # r, z, m, n
        hs = self._buffers.empty("h", (T + 1, B, H), dtype)
        hs[0] = start[0]
        W = by_gate(W, (0, 1, 2, 3), self._buffers)  # (4, H+I+1, H)
        W[:2] *= -1  # r and z will be σ(-a)
        for t in range(T):
            a = np.matmul(reads[t], W, out=gates[t])  # (B, H+I+1) @ each -> (4, B, H)
            sigmoid_of_minus(a[:2])
            r, z, m, n = a
            n += r * m
            np.tanh(n, out=n)
            h = np.subtract(hs[t], n, out=hs[t + 1])  # h' = n + z·(h - n)
            h *= z
            h += n
            reads[t + 1, :, :H] = h
        return (hs[T],)

    def _steps_back(self, grads: Array, WT: Array, end: State, dz: Array) -> State:
        T, B, H = grads.shape
        slopes = self._slopes()
        z = self._buffers.last("gates")[:, 1]
        (dh,) = end
        for t in range(T - 1, -1, -1):
            dh += grads[t]
            d = slopes[t]
            d *= dh
            dz[t].reshape(B, 4, H)[...] = d.swapaxes(0, 1)
            dh *= z[t]
            dh += dz[t] @ WT
        return (dh,)

    def _slopes(self) -> Array:
        """Return what dh is multiplied by for the gradients of r, z, m and y: (T, 4, B, H)."""
        gates, hs = self._buffers.last("gates"), self._buffers.last("h")
        slopes = self._buffers.empty("slopes", gates.shape, gates.dtype)
        r, z, m, n = gates.swapaxes(0, 1)  # each (T, B, H)
        d_r, d_z, d_m, d_y = slopes.swapaxes(0, 1)
        np.multiply(n, n, out=d_y)
        np.subtract(1, d_y, out=d_y)
        np.subtract(1, z, out=d_z)
        d_y *= d_z
        np.multiply(d_y, r, out=d_m)
        np.subtract(1, r, out=d_r)
        d_r *= m
        d_r *= d_m
        d_z *= z
        d_z *= hs[:-1] - n
        return slopes
