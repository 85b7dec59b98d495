"""Small pieces of HTML: a card, a folded part, a verdict. Readable without any style, too.

Colours come from JupyterLab's own variables, so that light and dark themes both work; every
verdict is a word and a sign besides a colour. On GitHub, which drops styles, the same HTML
still reads well.
"""

from __future__ import annotations

import html
import re

STYLE = """<style>
.ffc-card{border:1px solid var(--jp-border-color2,#bbb);border-left:4px solid
var(--jp-border-color1,#888);border-radius:4px;padding:.5em .9em;margin:.4em 0;max-width:640px;
background:var(--jp-layout-color1,transparent);color:var(--jp-content-font-color1,inherit);
font-family:var(--jp-content-font-family,sans-serif);font-size:var(--jp-content-font-size1,14px);
line-height:1.5}
.ffc-card p{margin:.35em 0}.ffc-card ul,.ffc-card ol{margin:.3em 0;padding-left:1.5em}
.ffc-card summary{cursor:pointer}.ffc-card details{margin:.35em 0}
.ffc-card details>:not(summary){margin-left:1.2em}
.ffc-card table{border-collapse:collapse;margin:.4em 0;font-size:inherit}
.ffc-card.ffc-card.ffc-card th,.ffc-card.ffc-card.ffc-card td{text-align:left;vertical-align:top;
padding:.25em .8em .25em 0;white-space:normal;max-width:none;
border-bottom:1px solid var(--jp-border-color2,#ccc)}
.ffc-card.ffc-card.ffc-card tr,.ffc-card.ffc-card.ffc-card tr:hover{background:none}
.ffc-card code{background:var(--jp-layout-color2,#8882);padding:0 .25em;border-radius:2px}
.ffc-right{border-left-color:var(--jp-success-color1,#2e7d32)}
.ffc-wrong{border-left-color:var(--jp-error-color1,#c62828)}
.ffc-ask{border-left-color:var(--jp-brand-color1,#1565c0)}
.ffc-soft{color:var(--jp-content-font-color2,#555)}
</style>"""

SIGNS = {
    "passed": "✔",
    "wrong": "✘",
    "error": "⚠",
    "timed_out": "⏱",
    "crashed": "⚠",
    "not_attempted": "○",
    "missing": "∅",
}
WORDS = {
    "passed": "right",
    "wrong": "not right yet",
    "error": "raised an error",
    "timed_out": "took too long",
    "crashed": "ended the kernel",
    "not_attempted": "not attempted",
    "missing": "answer cell missing",
}


def card(body: str, kind: str = "", label: str = "") -> str:
    """Wrap HTML in a card.

    Parameters
    ----------
    body : str
        HTML of the content.
    kind : {"", "right", "wrong", "ask"}
        Colour of the edge; the words inside must say the same.
    label : str
        What a screen reader calls the card.
    """
    name = f' role="group" aria-label="{html.escape(label)}"' if label else ""
    classes = f"ffc-card ffc-{kind}" if kind else "ffc-card"
    return f'{STYLE}<div class="{classes}"{name}>{body}</div>'


def folded(summary: str, body: str) -> str:
    """Return a part that opens on a click or on Enter."""
    return f"<details><summary>{summary}</summary>{body}</details>"


def markup(text: str) -> str:
    """Turn a line of plain text into HTML: `code`, **strong** and *stress*; $math$ is kept."""
    pieces = re.split(r"(`[^`]+`|\$[^$]+\$)", text)
    return "".join(_piece(piece) for piece in pieces).replace("\n", "<br>")


def _piece(piece: str) -> str:
    escaped = html.escape(piece, quote=False)
    if piece.startswith("`") and piece.endswith("`") and len(piece) > 2:
        return f"<code>{escaped[1:-1]}</code>"
    if piece.startswith("$") and piece.endswith("$") and len(piece) > 2:
        return escaped
    escaped = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escaped)
    return re.sub(r"(?<!\*)\*([^*\s][^*]*)\*(?!\*)", r"<em>\1</em>", escaped)


def plain(text: str) -> str:
    """Return the text without the marks that `markup` understands; small formulas as signs."""
    text = re.sub(r"`([^`]+)`", r"\1", re.sub(r"\*\*(.+?)\*\*", r"\1", text))
    return re.sub(r"\$([^$]+)\$", lambda found: _signs(found.group(1)), text)


_COMMANDS = {
    "cdot": "·", "times": "×", "ge": "≥", "geq": "≥", "le": "≤", "leq": "≤", "ne": "≠",
    "neq": "≠", "approx": "≈", "pm": "±", "to": "→", "rightarrow": "→", "leftarrow": "←",
    "infty": "∞", "sum": "Σ", "sqrt": "√", "partial": "∂", "nabla": "∇", "in": "∈",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η",
    "theta": "θ", "lambda": "λ", "mu": "μ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "omega": "ω", "Delta": "Δ", "Sigma": "Σ", "top": "ᵀ", "quad": " ", "qquad": " ",
    "dots": "…", "ldots": "…", "cdots": "…", "mid": "|", "lvert": "|", "rvert": "|",
}  # fmt: skip
_LOW = str.maketrans("0123456789+-()aeijkmnoprstux", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑᵢⱼₖₘₙₒₚᵣₛₜᵤₓ")
_HIGH = str.maketrans("0123456789+-()Tn", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵀⁿ")


def _signs(formula: str) -> str:
    """Write a formula in plain signs; what has none stays LaTeX, dollars and all."""
    text = re.sub(r"\\(?:text|mathrm|operatorname)\{([^{}]*)\}", r"\1", formula)
    text = re.sub(r"\\([a-zA-Z]+)", lambda m: _COMMANDS.get(m.group(1), m.group()), text)
    text = re.sub(r"\\[,;: !]", " ", text)
    text = re.sub(r"_(?:\{(\w+)\}|(\w))", lambda m: _moved(m, "_", _LOW), text)
    text = re.sub(r"\^(?:\{([\w+-]+)\}|(\w))", lambda m: _moved(m, "^", _HIGH), text)
    return f"${formula}$" if re.search(r"[\\{}]", text) else text


def _moved(found: re.Match[str], mark: str, table: dict[int, int]) -> str:
    """Lower or raise what a mark stands before, if there are such signs for all of it."""
    text = found.group(1) or found.group(2)
    if all(ord(sign) in table for sign in text):
        return text.translate(table)
    return f"{mark}{text}" if len(text) == 1 else f"{mark}({text})"


def paragraphs(*lines: str) -> str:
    """Return each non-empty HTML line as a paragraph."""
    return "".join(f"<p>{line}</p>" for line in lines if line)
