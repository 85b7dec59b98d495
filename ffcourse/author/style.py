"""The limits of style that NOTEBOOKS.md sets, told as faults in words."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ffcourse.author import notebook as nb
from ffcourse.author.glossary import link_faults
from ffcourse.author.navigation import update
from ffcourse.author.new import NO_TITLE

MOST_LINES, USUAL_LINES, MOST_WORDS = 20, 8, 120
MOST_BYTES = 600_000
CELLS_A_FIGURE = 4  # "one figure for about three code cells", prompts not counted
SECTIONS = range(4, 8)
_PROMPT = re.compile(r"^(predict|reveal|quiz|progress|placement|self_check|check|submit)\(")
_BANNED = re.compile(r"\b(simply|obviously|of course|trivially|it is easy to see)\b", re.IGNORECASE)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,}")
_INSTALL = re.compile(r"^\s*[!%]\s*(pip|conda)|os\.chdir|^\s*%cd|sys\.path", re.MULTILINE)
_IMAGE = re.compile(r"!\[(.*?)\]\(|<img\b([^>]*)>")


def chapter_faults(path: Path) -> list[str]:
    """Return every fault of a chapter.

    Parameters
    ----------
    path : Path
        A notebook in ``chapters``. Those numbered 00 are held to the limits, not to the
        parts of a chapter.
    """
    notebook = nb.read(path)
    found = [*size_faults(path), *cell_faults(notebook), *output_faults(notebook)]
    found += title_faults(notebook)
    if update(path, check=True):
        found.append("the navigation line is missing or old: `ffcourse author nav`")
    if not path.stem.startswith("00"):
        found += [*part_faults(notebook, path), *figure_faults(notebook), *prompt_faults(notebook)]
    found += link_faults(path)
    return found


def size_faults(path: Path) -> Iterator[str]:
    """Yield a notebook that is too large to open fast, or not written by the tools."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        yield f"{size / 1000:.0f} KB; at most {MOST_BYTES // 1000} are wanted"
    if path.read_text(encoding="utf-8") != nb.dump(nb.read(path)):
        yield "not in the form that the tools write: `ffcourse author run`"


def cell_faults(notebook: nb.Notebook) -> Iterator[str]:
    """Yield cells that are too long, and words and statements that don't belong."""
    lengths = []
    for number, cell in enumerate(notebook["cells"], 1):
        text = nb.source(cell)
        if cell["cell_type"] == "markdown":
            yield from (f"cell {number}: {fault}" for fault in _text_faults(text))
            continue
        lines = len(text.strip().splitlines())
        if not _PROMPT.match(text):
            lengths.append(lines)
        if lines > MOST_LINES:
            yield f"cell {number}: {lines} lines of code; at most {MOST_LINES}"
        if re.search(r"import \*", text):
            yield f"cell {number}: imports with a star"
        if _INSTALL.search(text):
            yield f"cell {number}: installs, or changes folders or paths"
    if lengths and statistics.median(lengths) > USUAL_LINES + 1:
        yield f"half of the code cells have over {statistics.median(lengths):.0f} lines; aim at 8"


def _text_faults(text: str) -> Iterator[str]:
    count = words(text)
    if count > MOST_WORDS:
        yield f"{count} words; at most {MOST_WORDS}"
    for found in _BANNED.findall(re.sub(r"`[^`]*`|\"[^\"]*\"", "", text)):
        yield f"says {found!r}"
    for alt, tag in _IMAGE.findall(text):
        if not alt.strip() and not re.search(r'alt="[^"]+"', tag):
            yield "a picture without alt text"


def words(text: str) -> int:
    """Count the words that are read as running text.

    Code, formulas (one word each), tables, folded parts, link targets and lists of sources
    are not counted.
    """
    if re.match(r"#+ Sources", text.lstrip()):
        return 0
    text = re.sub(r"```.*?```", " ", text, flags=re.DOTALL)
    text = re.sub(r"<details>.*?</details>", " ", text, flags=re.DOTALL)
    text = re.sub(r"\$\$.*?\$\$|\$[^$]+\$", " formula ", text, flags=re.DOTALL)
    text = re.sub(r"^\s*\|.*$", " ", text, flags=re.MULTILINE)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"`[^`]*`", " code ", text)
    return len(re.findall(r"[\w’'-]*\w[\w’'-]*", text))


def output_faults(notebook: nb.Notebook) -> Iterator[str]:
    """Yield outputs that are missing, faulty, or not readable for everybody."""
    expected = 1
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] != "code":
            continue
        if cell.get("execution_count") != expected:
            count = cell.get("execution_count")
            yield f"cell {number} has the count {count}, not {expected}: `ffcourse author run`"
            return  # those after it are out of step, too
        expected += 1
        for output in cell["outputs"]:
            yield from (f"cell {number}: {fault}" for fault in _output_faults(output))


def _output_faults(output: dict[str, Any]) -> Iterator[str]:
    if output["output_type"] == "error":
        yield f"raises {output.get('ename')}"
    if output["output_type"] == "stream" and output.get("name") == "stderr":
        yield "warns"
    plain = nb.mime(output, "text/plain") or "".join(output.get("text", ""))
    if _ADDRESS.search(plain):
        yield "shows a memory address"
    if is_figure(output) and (len(plain.split()) < 5 or plain.startswith("<")):
        yield "a figure without alt text: use show.figure(fig, alt=…)"


def is_figure(output: dict[str, Any]) -> bool:
    """Say whether an output is a picture."""
    return bool({"image/png", "image/svg+xml", "image/jpeg"} & output.get("data", {}).keys())


def title_faults(notebook: nb.Notebook) -> Iterator[str]:
    """Yield what the beginning lacks: a title, a promise, what is needed, the minutes."""
    if not notebook["cells"]:
        yield "no cells"
        return
    first = nb.source(notebook["cells"][0])
    if notebook["cells"][0]["cell_type"] != "markdown" or not first.startswith("# "):
        yield "must begin with a title, '# …'"
    if notebook["metadata"].get("ffcourse", {}).get("title") == NO_TITLE:
        yield "has no title for links: set metadata.ffcourse.title"
    titles = [
        line
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
        for line in re.sub(r"```.*?```", "", nb.source(cell), flags=re.DOTALL).splitlines()
        if line.startswith("# ")
    ]
    if len(titles) != 1:
        yield f"{len(titles)} titles ('# …'); one is wanted"
    opening = " ".join(
        nb.source(cell) for cell in notebook["cells"][:4] if cell["cell_type"] == "markdown"
    ).lower()
    for word in ("you will", "learn", "need", "minutes"):
        if word not in opening:
            yield f"the opening does not say {word!r}: what one does, learns and needs; minutes"


def part_faults(notebook: nb.Notebook, path: Path) -> Iterator[str]:
    """Yield the parts that a chapter lacks."""
    texts = [nb.source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    codes = [nb.source(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    whole = "\n".join(texts)
    numbered = re.findall(r"^## \d+ ", whole, re.MULTILINE)
    if len(numbered) not in SECTIONS:
        yield f"{len(numbered)} numbered sections ('## 1 · …'); four to seven are wanted"
    for heading in ("Summary", "Conventions", "Exercises", "Sources"):
        if not re.search(rf"^## {heading}", whole, re.MULTILINE):
            yield f"no part '## {heading}'"
    summary = next((text for text in texts if text.startswith("## Summary")), "")
    if len(re.findall(r"^- ", summary.split("\n## ")[0], re.MULTILINE)) > 5:
        yield "the summary has more than five bullets"
    for word in ("symptom", "cause", "cure", "baseline"):
        if not re.search(rf"\b{word}", whole, re.IGNORECASE):
            yield f"never says {word!r}: something must go wrong, scores need a baseline"
    if f'quiz("{nb.key_number(path.stem)}")' not in "\n".join(codes):
        yield "no quiz"
    if "data.load_" not in "\n".join(codes):
        yield "no real data (data.load_…)"
    late = [
        n for n, code in enumerate(codes, 1) if n > 1 and re.search(r"^(import|from) ", code, re.M)
    ]
    if late:
        yield f"imports in the code cells {late}; one import cell is wanted"


def figure_faults(notebook: nb.Notebook) -> Iterator[str]:
    """Yield too few figures, or too few live ones."""
    codes = [
        cell
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and not _PROMPT.match(nb.source(cell))
    ]
    pictures = [output for _, output in nb.outputs(notebook) if is_figure(output)]
    if len(codes) > CELLS_A_FIGURE * len(pictures):
        yield f"{len(pictures)} figures for {len(codes)} code cells; about one for three is wanted"
    live = [output for output in pictures if output["output_type"] == "execute_result"]
    if len(live) < 2:
        yield f"{len(live)} live figures; at least two are wanted"


def prompt_faults(notebook: nb.Notebook) -> Iterator[str]:
    """Yield predictions that are never revealed, or revealed without anything in between."""
    asked: dict[str, int] = {}
    shown: dict[str, int] = {}
    codes = [nb.source(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, code in enumerate(codes):
        for verb, key in re.findall(r"^(predict|reveal)\(\s*[\"'](.+?)[\"']", code, re.MULTILINE):
            place = asked if verb == "predict" else shown
            if key in place:
                yield f"{verb}({key!r}) is there twice"
            place[key] = number
    for key in sorted(asked.keys() ^ shown.keys()):
        yield f"the prompt {key!r} has only one of predict and reveal"
    for key in sorted(asked.keys() & shown.keys()):
        if shown[key] - asked[key] < 2:
            yield f"nothing is run between predict({key!r}) and its reveal"
    if len(asked) < 3:
        yield f"{len(asked)} predictions; each section should have one"
