"""The notebook that the benchmark opens: one figure, shown in five ways."""

from __future__ import annotations

COMMON = '''
import sys
sys.path[:0] = {extra!r}
import numpy as np, ipywidgets as w
from IPython.display import display
rng = np.random.default_rng(0)
X = rng.uniform(-3, 3, (200, 2)); y = (X[:, 0] * X[:, 1] > 0).astype(int)
sizes = (2, 16), (16, 16), (16, 1)
W = [rng.normal(0, 1.2, s) for s in sizes]; B = [rng.normal(0, 0.5, s[1]) for s in sizes]
u = (np.arange(100) + 0.5) / 100 * 6 - 3
P = np.stack(np.meshgrid(u, u), -1).reshape(-1, 2)
axis = np.linspace(-3, 3, 200)
def decide(v):
    """2-16-16-1, its first weights scaled by 1 + v/4: (100, 100)."""
    h = np.tanh(P @ (W[0] * (1 + v / 4)) + B[0])
    h = np.tanh(h @ W[1] + B[1])
    return np.tanh(h @ W[2] + B[2]).reshape(100, 100)
look = dict(extent=(-3, 3, -3, 3), origin="lower", cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
def slider():
    layout = w.Layout(width="600px")
    return w.FloatSlider(value=0, min=-3, max=3, step=0.02, description="v", layout=layout)
'''

FLOOR = """
s, label = slider(), w.HTML("0.00")
s.observe(lambda change: setattr(label, "value", f"{change['new']:.2f}"), "value")
label.add_class("bench-floor")
display(w.VBox([s, label]))
"""

OURS = """
from ffcourse import show
def figure(v):
    return [show.Dots([v], [np.tanh(v)], role="loss", size=10),
            show.Map(decide(v), (-3, 3, -3, 3), low=-1, high=1, panel=1),
            show.Dots(*X.T, y, panel=1)]
curve = show.Panel((-3, 3), (-1.1, 1.1), "z", "a", layers=[show.Line(axis, np.tanh(axis))])
plane = show.Panel((-3, 3), (-3, 3), "x1", "x2")
show.live(figure, background=[curve, plane], alt="Benchmark.", v=show.Range(-3.0, 3.0, 0.02, 0.0))
"""

INTERACT = """
get_ipython().run_line_magic("matplotlib", "inline")
from matplotlib.figure import Figure
def draw(v):  # not by pyplot, whose backend ipympl takes over
    fig = Figure(figsize=(7, 3.3))
    one, two = fig.subplots(1, 2)
    one.plot(axis, np.tanh(axis)); one.plot([v], [np.tanh(v)], "o")
    two.imshow(decide(v), **look)
    two.scatter(*X.T, c=y, s=12)
    display(fig)
w.interact(draw, v=slider());
"""

OUTPUT = """
s = slider()
out = w.interactive_output(draw, {"v": s})
display(w.VBox([s, out]))
"""

IPYMPL = """
from ipympl.backend_nbagg import Canvas, FigureManager
fig = Figure(figsize=(7, 3.3))
canvas = Canvas(fig); manager = FigureManager(canvas, 1)
one, two = fig.subplots(1, 2)
one.plot(axis, np.tanh(axis)); dot, = one.plot([0], [0], "o")
image = two.imshow(decide(0), **look)
two.scatter(*X.T, c=y, s=12)
def move(change):
    v = change["new"]
    dot.set_data([v], [np.tanh(v)]); image.set_data(decide(v)); canvas.draw_idle()
s = slider(); s.observe(move, "value")
display(w.VBox([s, canvas]))
"""

# What remains of our share when the network's own computing is taken out.
MODEL = FLOOR.replace("label", "other")  # a name of its own, since they share the kernel
MODEL = MODEL.replace("{change['new']:.2f}", "{decide(change['new']).mean():.6f}")

FIGURES = {
    "floor": FLOOR,
    "model": MODEL,
    "ours": OURS,
    "interact": INTERACT,
    "output": OUTPUT,
    "ipympl": IPYMPL,
}
