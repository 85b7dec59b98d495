"""What every optimizer shares: parameter groups, the state of each parameter, and the step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ffcourse.nn.checks import parameter_list
from ffcourse.nn.module import Array, Parameter
from ffcourse.train.checks import expect
from ffcourse.train.pieces import Piece, State, gradient, make_pieces

Group = dict[str, Any]


class _Plan(NamedTuple):
    """How a step of one parameter group runs, as long as the same parameters take part."""

    params: list[Parameter]
    names: tuple[str, ...]  # of their state
    pieces: list[Piece]


class Optimizer:
    """Base class: a subclass names its state and writes its rule.

    Parameters
    ----------
    params : iterable of Parameter, or iterable of dict
        Dicts are parameter groups, ``{"params": layer.parameters(), "lr": 0.01}``; an option that
        a group leaves out is taken from `defaults`. So each layer can have its own learning rate.
    defaults : dict
        The options with their values, ``lr`` among them.

    Attributes
    ----------
    param_groups : list of dict
        Options may be changed between steps; schedules change ``lr``.

    Raises
    ------
    ValueError
        If there are no parameters, one stands in two groups, or an option is out of range.
    """

    def __init__(self, params: Iterable[Parameter] | Iterable[Group], defaults: Group) -> None:
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self._state: State = {}
        self._steps: dict[Parameter, int] = {}
        self._plans: list[_Plan | None] = []  # one for each group, made in its first step
        grouped = (
            isinstance(params, list | tuple) and bool(params) and isinstance(params[0], Mapping)
        )
        given: list[Any] = list(params) if grouped else parameter_list(params, "params")
        if not given:
            raise ValueError("params: expected at least one Parameter, got none")
        for group in given if grouped else [{"params": given}]:
            self.add_param_group(group)

    # What a subclass writes

    def state_names(self, group: Group) -> tuple[str, ...]:
        """Names of what a parameter of `group` carries from step to step, as in PyTorch."""
        return ()

    def rule(self, g: Array, piece: Piece, t: int, group: Group) -> None:
        """Compute ``piece.step``, which will be subtracted from the weights, from the gradient `g`.

        `t` is the number of this step, counted from 1. Read `g`, and do not write to it: it is
        the parameter's own gradient, or lies in ``piece.step``, which is then overwritten.
        """
        raise NotImplementedError(f"{type(self).__name__} has no rule")

    def decay(self, g: Array, piece: Piece, group: Group) -> Array:
        """Weight decay as an L2 penalty: return the gradient plus ``weight_decay * w``."""
        weight_decay = group["weight_decay"]
        if not weight_decay:
            return g
        for p, rows, _, spare in piece.slots:
            np.multiply(p.data if rows is None else p.data[rows], weight_decay, out=spare)
        return np.add(g, piece.spare, out=piece.step)

    # What a learner calls

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters of this optimizer."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient and is not frozen, in place."""
        for i, group in enumerate(self.param_groups):
            active = [p for p in group["params"] if p.grad is not None and p.requires_grad]
            names = self.state_names(group)
            planned = self._plans[i]
            # Another plan is needed when a layer was frozen or unfrozen, or an option changed.
            if planned is None or planned.params != active or planned.names != names:
                planned = self._plans[i] = self._plan(active, names, group)
            for p in active:
                self._steps[p] += 1
            for piece in planned.pieces:
                self._update(piece, group)

    def _update(self, piece: Piece, group: Group) -> None:
        g = self.decay(gradient(piece), piece, group)
        self.rule(g, piece, self._steps[piece.slots[0].parameter], group)
        for p, rows, step, _ in piece.slots:
            w = p.data if rows is None else p.data[rows]
            w -= step

    def _plan(self, active: list[Parameter], names: tuple[str, ...], group: Group) -> _Plan:
        """Give new parameters their state, and cut those of one dtype and age into pieces."""
        alike: dict[tuple[Any, int], list[Parameter]] = {}
        for p in active:
            self._steps.setdefault(p, 0)
            old = self._state.get(p, {})
            self._state[p] = {
                name: old[name] if name in old else self._first_state(name, p, group)
                for name in names
            }
            alike.setdefault((p.data.dtype, self._steps[p]), []).append(p)
        pieces = [piece for ps in alike.values() for piece in make_pieces(ps, self._state)]
        return _Plan(active, names, pieces)

    def _first_state(self, name: str, p: Parameter, group: Group) -> Array:
        return np.full(p.shape, self.start_value(name, group), dtype=p.data.dtype)

    def start_value(self, name: str, group: Group) -> float:
        """Value that the state `name` starts from."""
        return 0.0

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add parameters with options of their own, such as a layer that is unfrozen later."""
        if not isinstance(group, Mapping) or "params" not in group:
            raise TypeError(
                f'expected a group such as {{"params": [...], "lr": 0.1}}, got {group!r}'
            )
        given = group["params"]
        params = [given] if isinstance(given, Parameter) else parameter_list(given, "params")
        params = list(dict.fromkeys(params))  # a tied weight is listed twice, and updated once
        for name in set(group) - set(self.defaults) - {"params", "initial_lr", "name"}:
            known = ", ".join(self.defaults)
            raise ValueError(f"{type(self).__name__} has no option {name!r}; it has {known}")
        if {p for g in self.param_groups for p in g["params"]}.intersection(params):
            raise ValueError("params: a parameter stands in two groups; put it into one of them")
        new: Group = {**self.defaults, **group, "params": params}
        check_options(new)
        self.param_groups.append(new)
        self._plans.append(None)

    def state_dict(self) -> dict[str, Any]:
        """Copy of all options and state, laid out as PyTorch does it.

        Returns
        -------
        dict
            ``{"state": {i: {"step": t, name: ndarray, ...}}, "param_groups": [...]}``, with
            parameters numbered through all groups.
        """
        numbers = {p: i for i, p in enumerate(self.parameters())}
        state = {
            numbers[p]: {"step": self._steps[p], **{name: a.copy() for name, a in arrays.items()}}
            for p, arrays in self._state.items()
        }
        groups = [{**g, "params": [numbers[p] for p in g["params"]]} for g in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where the optimizer that made `state_dict` stopped.

        Raises
        ------
        ValueError
            If its groups or shapes are not those of this optimizer.
        """
        groups = state_dict["param_groups"]
        ours = [len(g["params"]) for g in self.param_groups]
        theirs = [len(g["params"]) for g in groups]
        if ours != theirs:
            raise ValueError(f"param_groups: expected {ours} parameters per group, got {theirs}")
        for saved in groups:
            missing = [name for name in self.defaults if name not in saved]
            if missing:
                raise ValueError(
                    f"param_groups: expected the options of {type(self).__name__}, "
                    f"{', '.join(missing)} is missing; was this saved by another optimizer?"
                )
            check_options(saved)
        params = self.parameters()
        for i, saved in state_dict["state"].items():
            if int(i) >= len(params):
                raise ValueError(f"state: expected {len(params)} parameters, got number {i}")
            for name, a in saved.items():
                if name != "step" and np.shape(a) != params[int(i)].shape:
                    raise ValueError(
                        f"state {i}, {name}: expected shape {params[int(i)].shape}, "
                        f"got {np.shape(a)}; was this saved from another model?"
                    )
        for group, saved in zip(self.param_groups, groups, strict=True):
            for name in set(saved) - {"params"}:  # JSON has no tuples
                group[name] = tuple(saved[name]) if isinstance(saved[name], list) else saved[name]
        self._state = {}
        self._steps = {}
        for i, saved in state_dict["state"].items():
            p = params[int(i)]
            self._steps[p] = int(saved["step"])
            self._state[p] = {
                name: np.array(a, dtype=p.data.dtype) for name, a in saved.items() if name != "step"
            }
        self._plans = [None for _ in self.param_groups]

    def parameters(self) -> list[Parameter]:
        """List the parameters of all groups."""
        return [p for g in self.param_groups for p in g["params"]]

    def __repr__(self) -> str:
        lines = [
            f"  group {i}: {len(g['params'])} parameters, "
            + ", ".join(f"{name}={g[name]}" for name in self.defaults)
            for i, g in enumerate(self.param_groups)
        ]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])


def check_options(group: Group) -> None:
    """Raise ValueError if an option of a parameter group is out of range."""
    for name in ("lr", "eps", "weight_decay", "lr_decay", "initial_accumulator_value"):
        expect(name, group.get(name, 0.0), "a number that is not negative", lambda v: v >= 0)
    for name in ("momentum", "alpha"):
        expect(name, group.get(name, 0.0), "a number in [0, 1)", lambda v: 0 <= v < 1)
    betas = group.get("betas", (0.0, 0.0))
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise ValueError(f"betas: expected two numbers in [0, 1), got {betas!r}")
    for beta in betas:
        expect("betas", beta, "two numbers in [0, 1)", lambda v: 0 <= v < 1)
    if group.get("nesterov") and not group["momentum"]:
        raise ValueError("nesterov: expected momentum > 0 with nesterov=True, got momentum=0")
