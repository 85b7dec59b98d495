"""A model as a table: layers, output shapes, parameter shapes and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ffcourse.nn.module import Array, Module, Parameter

Row = tuple[str, str, str, str, str]


@contextmanager
def watch(
    model: Module, see: Callable[[str, Module, Any], None], method: str = "forward"
) -> Iterator[None]:
    """Call ``see(name, module, result)`` after each forward pass of each module in `model`.

    Works by wrapping `method` ("backward" can be watched as well) of the classes involved while
    the block runs, so that layers pay nothing for it otherwise.
    """
    names = {id(module): name for name, module in model.named_modules()}
    classes = {type(module) for module in model.modules()}
    own = {cls: cls.__dict__.get(method) for cls in classes}

    def wrap(cls: type[Module]) -> Callable[..., Any]:
        original = getattr(cls, method)

        def watched(self: Module, *args: Any, **kwargs: Any) -> Any:
            result = original(self, *args, **kwargs)
            if id(self) in names:
                see(names[id(self)], self, result)
            return result

        return watched

    wrappers = {cls: wrap(cls) for cls in classes}  # made before any class is changed
    try:
        for cls, wrapper in wrappers.items():
            setattr(cls, method, wrapper)
        yield
    finally:
        for cls, unwrapped in own.items():
            if unwrapped is None:
                delattr(cls, method)
            else:
                setattr(cls, method, unwrapped)


class Summary:
    """The rows of a model's table; prints as text, shows as a table in a notebook."""

    header: Row = ("layer", "kind", "output", "parameters", "count")

    def __init__(self, rows: list[Row], footer: str) -> None:
        self.rows = rows
        self.footer = footer

    def __repr__(self) -> str:
        table = [self.header, *self.rows]
        keep = [j for j in range(5) if any(row[j] for row in self.rows)]
        widths = {j: max(len(row[j]) for row in table) for j in keep}

        def line(row: Row) -> str:
            cells = [row[j].rjust(widths[j]) if j == 4 else row[j].ljust(widths[j]) for j in keep]
            return "  ".join(cells).rstrip()

        rule = "-" * (sum(widths.values()) + 2 * (len(keep) - 1))
        return "\n".join([line(table[0]), rule, *map(line, table[1:]), rule, self.footer])


def _describe(p: Parameter, name: str) -> str:
    return f"{name} {'×'.join(map(str, p.shape))}" + ("" if p.requires_grad else " (frozen)")


def summarize(model: Module, x: Array | None = None) -> Summary:
    """Make the table of `model`.

    Parameters
    ----------
    model : Module
        Is left as it is.
    x : ndarray, optional
        An input; the model is run with it once, in evaluation mode, for the shapes of the outputs.

    Returns
    -------
    Summary
        Prints as a table.
    """
    shapes = {} if x is None else _output_shapes(model, x)
    rows: list[Row] = []
    seen: set[int] = set()
    for path, module in model.named_modules():
        own = [(n, p) for n, p in module._attributes() if isinstance(p, Parameter)]
        if not own and any(True for _ in module.children()):
            continue  # a container: its layers have their own rows
        count = sum(p.size for _, p in own if id(p) not in seen)
        text = ", ".join(_describe(p, n) + (" (shared)" if id(p) in seen else "") for n, p in own)
        seen.update(id(p) for _, p in own)
        kind = type(module).__name__
        rows.append((path or kind, kind, shapes.get(path, ""), text, f"{count:,}" if own else ""))
    total, trainable = model.num_parameters(), model.num_parameters(trainable_only=True)
    frozen = f" ({total - trainable:,} frozen)" if trainable != total else ""
    return Summary(rows, f"{total:,} parameters{frozen}")


def _output_shapes(model: Module, x: Array) -> dict[str, str]:
    shapes: dict[str, str] = {}

    def see(name: str, _module: Module, out: Any) -> None:
        first = out[0] if isinstance(out, tuple) else out
        shapes[name] = "×".join(map(str, first.shape))

    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with watch(model, see):
            model(x)
    finally:
        for module, mode in modes:
            module.training = mode
    return shapes
