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
from ffcourse.nn.recurrent import Recurrent, State, by_gate, sigmoid_of_minus


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

    @np.errstate(over="ignore")  # see sigmoid_of_minus
    def _steps(self, reads: Array, W: Array, start: State) -> State:
        T, B, H, dtype = len(reads) - 1, reads.shape[1], self.hidden_size, reads.dtype
        gates = self._buffers.empty("gates", (T + 1, 5, B, H), dtype)  # o, i, f, g, and c before
        parts = self._buffers.empty("parts", (T, 3, B, H), dtype)  # h' = o·tanh(c'), i·g, f·c
        tanh_c = self._buffers.empty("tanh c", (T, B, H), dtype)
        gates[0, 4] = start[1]
        W = by_gate(W, (3, 0, 1, 2), self._buffers)  # (4, H+I+1, H)
        W[:3] *= -1  # o, i and f will be σ(-z)
        for t in range(T):
            a, part = gates[t], parts[t]
            np.matmul(reads[t], W, out=a[:4])  # (B, H+I+1) @ each -> (4, B, H)
            sigmoid_of_minus(a[:3])
            np.tanh(a[3], out=a[3])
            np.multiply(a[1:3], a[3:], out=part[1:])
            c = np.add(part[1], part[2], out=gates[t + 1, 4])
            np.tanh(c, out=tanh_c[t])
            np.multiply(a[0], tanh_c[t], out=part[0])
            reads[t + 1, :, :H] = part[0]
        return parts[-1, 0], gates[T, 4]

    def _steps_back(self, grads: Array, WT: Array, end: State, dz: Array) -> State:
        gates, parts, tanh_c = (self._buffers.last(name) for name in ("gates", "parts", "tanh c"))
        T, _, B, H = parts.shape
        dh, dc = end
        d, d_c = np.empty_like(gates[0, :4]), np.empty_like(dh)
        for t in range(T - 1, -1, -1):
            a, part = gates[t], parts[t]
            dh += grads[t]
            np.multiply(part[0], tanh_c[t], out=d_c)
            np.subtract(a[0], d_c, out=d_c)
            d_c *= dh
            dc += d_c
            d3 = np.multiply(part, a[:3], out=d[:3])
            np.subtract(part, d3, out=d3)
            d_g = np.multiply(part[1], a[3], out=d[3])
            np.subtract(a[1], d_g, out=d_g)
            d_o, d_ifg = d[0], d[1:]
            d_o *= dh
            d_ifg *= dc
            dc *= a[2]
            rows = dz[t].reshape(B, 4, H)  # in the order i, f, g, o
            rows[:, :3] = d_ifg.swapaxes(0, 1)
            rows[:, 3] = d_o
            np.matmul(dz[t], WT, out=dh)
        return dh, dc
