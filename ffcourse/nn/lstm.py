"""The LSTM: a recurrent layer with a memory that gates protect.

At each step, with gates i, f, o between 0 and 1 and a candidate g between -1 and 1::

    i, f, o = σ(…)   g = tanh(…)       each of x @ W_ih + b_ih + h @ W_hh + b_hh
    c' = f·c + i·g                     what to keep, what to add
    h' = o·tanh(c')                    what to show

The memory c passes from step to step through a product with f and a sum, with no matrix and no
squashing in between; so its gradient need not vanish.

Backward, dh and dc arrive from the next step and from the output, and every pre-activation's
gradient is one of them times a number known from the forward pass::

    dc += dh · o·(1 - tanh²c')
    d(pre-activation of i) = dc · g·i·(1-i)
    d(pre-activation of f) = dc · c·f·(1-f)
    d(pre-activation of g) = dc · i·(1-g²)
    d(pre-activation of o) = dh · tanh(c')·o·(1-o)
    dc = dc · f             dh = d(pre-activations) @ W_hhᵀ
"""

from __future__ import annotations

import numpy as np

from ffcourse.nn.module import Array
from ffcourse.nn.recurrent import Recurrent, State


class LSTM(Recurrent):
    """Long short-term memory; gates in the order i, f, g, o, as in PyTorch.

    The state is a pair (h, c). See `Recurrent` for parameters and shapes.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9, 1997;
    the forget gate: F. A. Gers, J. Schmidhuber and F. Cummins, "Learning to forget: continual
    prediction with LSTM", Neural Computation 12, 2000.
    """

    __slots__ = ()
    gates = 4
    states = 2

    def _steps(self, reads: Array, start: State) -> State:
        (T, B, _), H, dtype = (len(reads) - 1, *reads.shape[1:]), self.hidden_size, reads.dtype
        gates = self._buffers.empty("gates", (T, B, 4, H), dtype)
        cs = self._buffers.empty("c", (T + 1, B, H), dtype)
        tanh_c = self._buffers.empty("tanh c", (T, B, H), dtype)
        cs[0] = start[1]
        # σ(z) = ½ + ½ tanh(z/2): with the weights of i, f and o halved beforehand, which is exact
        # in binary floating point, one tanh serves all four gates.
        scale = np.repeat(np.array([0.5, 0.5, 1, 0.5], dtype), H)
        shift, W = 1 - scale, self._stacked()
        half_W = W * scale
        for t in range(T):
            a = np.matmul(reads[t], half_W, out=gates[t].reshape(B, 4 * H))
            np.tanh(a, out=a)
            a *= scale
            a += shift
            i, f, g, o = gates[t].swapaxes(0, 1)  # each (B, H)
            c = np.multiply(f, cs[t], out=cs[t + 1])
            c += i * g
            np.tanh(c, out=tanh_c[t])
            np.multiply(o, tanh_c[t], out=reads[t + 1, :, :H])
        self._cache = W, gates, cs, tanh_c
        return reads[T, :, :H], cs[T]

    def _steps_back(self, grads: Array, end: State, dreads: Array) -> tuple[Array, State]:
        W, gates, cs, tanh_c = self._cache
        WT = W[: dreads.shape[2]].T.copy(order="C")
        T, B, _, H = gates.shape
        f = gates[:, :, 1]
        dz, dc_dh = self._slopes(gates, cs, tanh_c)
        dh, dc = end
        for t in range(T - 1, -1, -1):
            dh += grads[t]
            dc += dc_dh[t] * dh
            dz[t, :, :3] *= dc[:, None]  # i, f, g
            dz[t, :, 3] *= dh  # o
            dc *= f[t]
            dh = np.matmul(dz[t].reshape(B, 4 * H), WT, out=dreads[t])[:, :H]
        return dz, (dh, dc)

    def _slopes(self, gates: Array, cs: Array, tanh_c: Array) -> tuple[Array, Array]:
        """Return the factors of dc (i, f, g) and of dh (o), (T, B, 4, H), and dc/dh, (T, B, H)."""
        slopes = self._buffers.empty("dz", gates.shape, gates.dtype)
        rest = self._buffers.empty("rest", gates.shape, gates.dtype)
        # σ' = σ·(1-σ) and tanh' = (1 + tanh)·(1 - tanh)
        np.add(gates, np.array([0, 0, 1, 0], gates.dtype)[:, None], out=slopes)
        slopes *= np.subtract(1, gates, out=rest)
        i, g, o = gates[:, :, 0], gates[:, :, 2], gates[:, :, 3]
        for k, factor in enumerate((g, cs[:-1], i, tanh_c)):
            slopes[:, :, k] *= factor
        dc_dh = np.multiply(tanh_c, tanh_c, out=self._buffers.empty("dc", tanh_c.shape, cs.dtype))
        np.subtract(1, dc_dh, out=dc_dh)
        dc_dh *= o
        return slopes, dc_dh
