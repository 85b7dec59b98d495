"""Recurrent layers: what they share, and the plain RNN.

A recurrent layer reads a sequence one step at a time and carries a state h along::

    z_t = x_t @ W_ih + b_ih + h_t @ W_hh + b_hh          h_{t+1} = tanh(z_t)

With state, input and a 1 side by side, [h x 1], and the weights and biases stacked accordingly,
this is one product for each step: ``z_t = [h x 1]_t @ W``.

Back-propagation through time walks the same chain from the last step to the first. A state
reaches the loss in two ways, through the output at its time and through every later step, so its
gradient is a sum of two::

    dh_{t+1} = (gradient of output t) + (the h part of d[h x 1]_{t+1})
    dz_t       = dh_{t+1} · tanh'(z_t)
    d[h x 1]_t = dz_t @ Wᵀ

Only dh has to be found step by step. Everything else is done for all steps at once: the slopes of
the activations before the loop, and after it dx and the gradient of the weights,
dW = Σ_t [h x 1]_tᵀ @ dz_t, as one product over all steps and sequences.

Arrays inside have the time first, (T, B, features), so that a step is one block of memory. Where
there are several gates, each has a block of its own, (T, gates, B, H), since element-wise work is
quickest on unbroken stretches of memory.
"""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ffcourse.nn.buffers import Buffers
from ffcourse.nn.checks import check_gradient, whole
from ffcourse.nn.module import Array, Module, Parameter, check_float_batch

State = tuple[Array, ...]


class Recurrent(Module):
    """What RNN, LSTM and GRU share: weights, shapes, states, and the gradients of the weights.

    Parameters
    ----------
    input_size, hidden_size : int
        Features of one step of the input (I), and of the state (H).
    batch_first : bool
        True: sequences are (B, T, I) and outputs (B, T, H). False: (T, B, I) and (T, B, H),
        which is PyTorch's default.
    return_state : bool
        True: return the outputs and the final state. False: the outputs only, so that the layer
        fits into a `Sequential`.
    rng : numpy.random.Generator, optional
        Draws the initial weights, uniform in ±1/√H.
    dtype : dtype
        Type of the weights.

    Attributes
    ----------
    weight_ih : Parameter, shape (I, gates·H)
    weight_hh : Parameter, shape (H, gates·H)
    bias_ih, bias_hh : Parameter, shape (gates·H,)
        One bias would do, but for the GRU; there are two because PyTorch and cuDNN have two.
    grad_state : ndarray, or tuple of ndarray
        After ``backward``: gradient of the loss with respect to the initial state.
    """

    __slots__ = (  # noqa: RUF023 (their order is that of the table)
        "input_size",
        "hidden_size",
        "batch_first",
        "return_state",
        "weight_ih",
        "weight_hh",
        "bias_ih",
        "bias_hh",
        "grad_state",
        "_buffers",
        "_stack",
    )
    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1  # arrays in the state: h, and for the LSTM also c

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        batch_first: bool = True,
        return_state: bool = True,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float32,
    ) -> None:
        name = type(self).__name__
        self.input_size = whole(input_size, f"{name}: input_size")
        self.hidden_size = whole(hidden_size, f"{name}: hidden_size")
        self.batch_first, self.return_state = batch_first, return_state
        self._buffers = Buffers()
        rng = np.random.default_rng(rng)
        bound, width = 1 / np.sqrt(hidden_size), self.gates * hidden_size

        def draw(*shape: int) -> Parameter:
            return Parameter(rng.uniform(-bound, bound, shape).astype(dtype))

        self.weight_ih = draw(input_size, width)
        self.weight_hh = draw(hidden_size, width)
        self.bias_ih = draw(width)
        self.bias_hh = draw(width)

    # -- what a layer defines ---------------------------------------------------------------

    def _steps(self, reads: Array, W: Array, start: State) -> State:
        """Walk through ``reads``, (T+1, B, H+I+1): [h x 1] of each step.

        h of the first step and all x are there; write the later h. Return the final state.
        """
        raise NotImplementedError

    def _steps_back(self, grads: Array, WT: Array, end: State, dz: Array) -> State:
        """Walk back with ``WT``, (blocks·H, H); write ``dz``, (T, B, blocks·H); return d start."""
        raise NotImplementedError

    def _stacked(self) -> Array:
        """Weights and biases as one matrix (H+I+1, blocks·H), in the order of [h x 1]."""
        bias = self.bias_ih.data + self.bias_hh.data
        rows = len(self.weight_hh.data) + len(self.weight_ih.data) + 1
        stack = self._buffers.empty("stack", (rows, len(bias)), bias.dtype)
        parts = (self.weight_hh.data, self.weight_ih.data, bias[None])
        return np.concatenate(parts, out=stack)

    def _add_stacked(self, dW: Array) -> None:
        """Add the gradient of the stacked matrix to those of its parts."""
        H = self.hidden_size
        self.weight_hh.accumulate(dW[:H].copy())
        self.weight_ih.accumulate(dW[H:-1].copy())
        self.bias_ih.accumulate(dW[-1].copy())
        self.bias_hh.accumulate(dW[-1].copy())

    # -- the same for all -------------------------------------------------------------------

    def check_input(self, x: Any) -> Array:
        """Return `x` as a batch of sequences in the type of the weights, or raise one error."""
        name, dtype = type(self).__name__, self.weight_hh.data.dtype
        x = check_float_batch(x, name, features=self.input_size, dtype=dtype)
        if x.ndim != 3:
            order = "(B, T, I)" if self.batch_first else "(T, B, I)"
            raise ValueError(
                f"{name}: x must have three axes {order} with I = {self.input_size}, "
                f"got shape {x.shape}; for a single sequence add a batch axis of 1."
            )
        return x

    def forward(self, x: Array, state: Any = None) -> Any:
        """Read a batch of sequences.

        Parameters
        ----------
        x : ndarray, shape (B, T, I)
        state : ndarray of shape (1, B, H), optional
            State before the first step, zeros if left out; for the LSTM the pair (h, c).

        Returns
        -------
        outputs : ndarray, shape (B, T, H)
            The state h after each step.
        state : ndarray, shape (1, B, H), or the pair (h, c)
            State after the last step; left out if ``return_state`` is False. The axis of 1 is
            PyTorch's axis of stacked layers.
        """
        (T, B, F), H = self._time_first(x).shape, self.hidden_size
        start = self._unpack(state, "state", B, x.dtype)
        reads = self._buffers.empty("reads", (T + 1, B, H + F + 1), x.dtype)
        reads[0, :, :H] = start[0]
        reads[:T, :, H:-1] = self._time_first(x)
        reads[:, :, -1] = 1
        self._stack = self._stacked()
        final = self._steps(reads, self._stack, start)
        outputs = self._time_first(reads[1:, :, :H]).copy(order="C")
        return (outputs, self._pack(final)) if self.return_state else outputs

    def backward(self, grad: Array | None, grad_state: Any = None) -> Array:
        """Back-propagate through time.

        Parameters
        ----------
        grad : ndarray, shape (B, T, H), or None
            Gradient of the loss with respect to the outputs; None if only the final state is used.
        grad_state : ndarray of shape (1, B, H), optional
            Gradient with respect to the final state; for the LSTM a pair.

        Returns
        -------
        ndarray, shape (B, T, I)
            Gradient with respect to `x`. That of the initial state is in ``self.grad_state``.
        """
        dz = self._backward(grad, grad_state)
        T, B, width = dz.shape
        dx = dz.reshape(T * B, width) @ self._stack[self.hidden_size : -1].T
        return self._time_first(dx.reshape(T, B, self.input_size))

    def backward_params(self, grad: Array | None, grad_state: Any = None) -> None:
        """Do the work of ``backward`` without the gradient of the input."""
        self._backward(grad, grad_state)

    def _backward(self, grad: Array | None, grad_state: Any) -> Array:
        """Add to the gradients of the weights; return dz, (T, B, blocks·H)."""
        reads, H = self._buffers.last("reads"), self.hidden_size
        T, B, F = len(reads) - 1, *reads.shape[1:]
        if grad is not None:
            check_gradient(self, grad, (B, T, H) if self.batch_first else (T, B, H))
        end = self._unpack(grad_state, "grad_state", B, reads.dtype)
        grads = self._buffers.empty("grads", (T, B, H), reads.dtype)
        grads[...] = 0 if grad is None else self._time_first(grad)
        dz = self._buffers.empty("dz", (T, B, self._stack.shape[1]), reads.dtype)
        start = self._steps_back(grads, self._stack[:H].T, end, dz)
        self.grad_state = self._pack(start)
        weights = (self.weight_hh, self.weight_ih, self.bias_hh, self.bias_ih)
        if any(p.requires_grad for p in weights):
            # the products of all steps and all sequences, summed: one product of two tall matrices
            dW = self._buffers.empty("d stack", self._stack.shape, reads.dtype)
            np.matmul(reads[:T].reshape(T * B, F).T, dz.reshape(T * B, -1), out=dW)
            self._add_stacked(dW)
        return dz

    def _time_first(self, x: Array) -> Array:
        """View (B, T, F) as (T, B, F), or back; nothing to do if the user has the time first."""
        return x.swapaxes(0, 1) if self.batch_first else x

    def _unpack(self, state: Any, name: str, B: int, dtype: Any) -> State:
        """Copy a state as the user has it, (1, B, H) or a pair of these, to arrays (B, H)."""
        shape = (1, B, self.hidden_size)
        if state is None:
            return tuple(np.zeros(shape[1:], dtype) for _ in range(self.states))
        parts = tuple(state) if self.states == 2 and isinstance(state, tuple | list) else (state,)
        shapes = [np.shape(part) for part in parts]
        if shapes != [shape] * self.states:
            raise ValueError(
                f"{type(self).__name__}: {name} must be {self.states} array(s) of shape "
                f"(1, batch, hidden_size) = {shape}, got {shapes}."
            )
        return tuple(np.array(part[0], dtype) for part in parts)

    def _pack(self, state: State) -> Any:
        parts = tuple(part[None].copy() for part in state)
        return parts[0] if self.states == 1 else parts

    def extra_repr(self) -> str:
        """Sizes, and the order of axes if it is not the usual one."""
        text = f"{self.input_size}, {self.hidden_size}"
        return text if self.batch_first else text + ", batch_first=False"


class RNN(Recurrent):
    """The plain recurrent layer: h' = tanh(x @ W_ih + b_ih + h @ W_hh + b_hh).

    Parameters
    ----------
    input_size, hidden_size, batch_first, return_state, rng, dtype
        See `Recurrent`.
    nonlinearity : {"tanh", "relu"}
        With ReLU the state is not bounded, and can explode.

    References
    ----------
    J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990.
    """

    __slots__ = ("nonlinearity",)

    def __init__(
        self, input_size: int, hidden_size: int, *, nonlinearity: str = "tanh", **options: Any
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f'nonlinearity must be "tanh" or "relu", got {nonlinearity!r}.')
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, **options)

    def _steps(self, reads: Array, W: Array, start: State) -> State:
        T, H, tanh = len(reads) - 1, self.hidden_size, self.nonlinearity == "tanh"
        hs = self._buffers.empty("hs", (T, reads.shape[1], H), reads.dtype)
        for t in range(T):
            h = np.matmul(reads[t], W, out=hs[t])
            np.tanh(h, out=h) if tanh else np.maximum(h, 0, out=h)
            reads[t + 1, :, :H] = h
        return (hs[T - 1],)

    def _steps_back(self, grads: Array, WT: Array, end: State, dz: Array) -> State:
        hs = self._buffers.last("hs")
        if self.nonlinearity == "tanh":  # dz holds first the slopes, then the gradients
            np.multiply(hs, hs, out=dz)
            np.subtract(1, dz, out=dz)
        else:
            np.greater(hs, 0, out=dz)
        (dh,) = end
        for t in range(len(grads) - 1, -1, -1):
            dh += grads[t]
            dz[t] *= dh
            np.matmul(dz[t], WT, out=dh)
        return (dh,)


def by_gate(W: Array, order: tuple[int, ...], buffers: Buffers) -> Array:
    """Copy the stacked matrix (F, gates·H) to (gates, F, H), the gates in the given `order`."""
    gates = W.reshape(len(W), len(order), -1).swapaxes(0, 1)
    out = buffers.empty("by gate", gates.shape, W.dtype)
    for k, place in enumerate(order):
        out[k] = gates[place]
    return out


def sigmoid_of_minus(z: Array) -> None:
    """Replace z by σ(-z) = 1 / (1 + e^z), in place.

    The gates of a layer have the sign of their weights turned before the loop over the steps; that
    saves a pass over z in each. Where e^z overflows, the result is 1/∞ = 0, as it should be.
    """
    np.exp(z, out=z)
    z += 1
    np.reciprocal(z, out=z)


class LastStep(Module):
    """Keep only the last step of a sequence: (B, T, F) -> (B, F).

    For a model that reads a whole sequence and then gives one answer::

        Sequential(LSTM(8, 32, return_state=False), LastStep(), Linear(32, 2))
    """

    __slots__ = ("_shape",)

    def check_input(self, x: Any) -> Array:
        """Return `x` as a batch of sequences (B, T, F), or raise one clear error."""
        x = check_float_batch(x, "LastStep")
        if x.ndim != 3:
            raise ValueError(
                f"LastStep: x must have three axes (B, T, F): sequences, steps, features; "
                f"got shape {x.shape}."
            )
        return x

    def forward(self, x: Array) -> Array:
        """(B, T, F) -> (B, F)."""
        self._shape = x.shape
        return x[:, -1]

    def backward(self, grad: Array) -> Array:
        """(B, F) -> (B, T, F): no other step had a part in the answer."""
        check_gradient(self, grad, (self._shape[0], *self._shape[2:]))
        dx = np.zeros(self._shape, grad.dtype)
        dx[:, -1] = grad
        return dx
