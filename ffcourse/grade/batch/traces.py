"""What is kept of an answer in order to see that two are alike: hashes, never the code itself.

A small scanner of our own, so that no notebook, however broken or hostile, can do more than
yield odd tokens. Comments, layout, strings and the learner's own choice of names do not count.
"""

from __future__ import annotations

import hashlib
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ffcourse.grade.notebook import Notebook

if TYPE_CHECKING:
    import numpy as np

GRAM, WINDOW = 9, 4
MAX_CHARACTERS, MAX_TOKENS = 100_000, 20_000
_TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r"|(?P<text>[rRbBfFuU]{0,2}(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\""
    r"|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"))"
    r"|(?P<number>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?[jJ]?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<op>\*\*=?|//=?|>>=?|<<=?|[-+*/%@&|^=<>!:]=|->|[^\s\w])",
    re.DOTALL,
)


@dataclass(frozen=True)
class Traces:
    """Fingerprints of some code.

    Attributes
    ----------
    tokens : int
        How many tokens were read.
    exact : str
        A hash of the whole, names and layout aside.
    hashes : bytes
        Fingerprints, eight bytes each, sorted and without doubles.
    """

    tokens: int
    exact: str
    hashes: bytes


def traces_of(notebook: Notebook) -> Traces:
    """Return the fingerprints of the answers in a notebook."""
    code = [c for c in notebook.cells if c.kind == "code"]
    answers = [c for c in code if c.role == "answer"] or [c for c in code if c.role is None]
    return fingerprint([c.source for c in answers])


def fingerprint(sources: Sequence[str]) -> Traces:
    """Return the fingerprints of some pieces of Python code; never raises.

    No fingerprint reaches from one piece into the next.

    Notes
    -----
    Hashes of all runs of nine tokens, of which the smallest in each window of four is kept:
    Schleimer, Wilkerson, Aiken, "Winnowing: Local Algorithms for Document Fingerprinting",
    SIGMOD 2003.
    """
    import numpy as np

    left, pieces = MAX_CHARACTERS, []
    for source in sources:
        pieces.append(normalised_tokens(source[:left]))
        left = max(0, left - len(source))
    joined = "\n".join(" ".join(words) for words in pieces).strip()
    exact = hashlib.sha256(joined.encode("utf-8", "replace")).hexdigest() if joined else ""
    hashes = [unpack(_winnow(words)) for words in pieces]
    union = np.unique(np.concatenate(hashes)) if hashes else np.array([], dtype="<u8")
    return Traces(sum(map(len, pieces)), exact, union.astype("<u8").tobytes())


def normalised_tokens(source: str) -> list[str]:
    """Return the tokens of some code: own names become ``v``, numbers ``0``, strings ``s``.

    Names after a dot, keywords and names that are called stay as they are: they are what
    the code does, and not what somebody chose to call things.
    """
    found: list[tuple[str, str, int]] = []
    for match in _TOKEN.finditer(source):
        if match.lastgroup != "comment":
            found.append((match.lastgroup or "op", match.group(), match.end()))
        if len(found) >= MAX_TOKENS:
            break
    tokens = []
    for i, (kind, text, end) in enumerate(found):
        if kind == "text":
            alone = i == 0 or "\n" in source[found[i - 1][2] : end - len(text)]
            if not alone:  # a string on a line of its own is a docstring or a note
                tokens.append("s")
        elif kind == "number":
            tokens.append("0")
        elif kind == "name" and not keyword.iskeyword(text):
            after_dot = i > 0 and found[i - 1][1] == "."
            defined = i > 0 and found[i - 1][1] in ("def", "class")
            called = source[end : end + 1] == "(" and not defined
            tokens.append(text if after_dot or called else "v")
        else:
            tokens.append(text)
    return tokens


def _winnow(words: list[str]) -> bytes:
    import numpy as np

    if len(words) < GRAM:
        return b""
    ids = np.array([_hash(word) for word in words], dtype=np.uint64)
    grams = np.zeros(len(ids) - GRAM + 1, dtype=np.uint64)
    for k in range(GRAM):
        grams = grams * np.uint64(1_099_511_628_211) + ids[k : k + len(grams)]
    grams ^= grams >> np.uint64(29)
    windows = np.lib.stride_tricks.sliding_window_view(grams, min(WINDOW, len(grams)))
    return np.unique(windows.min(axis=1)).astype("<u8").tobytes()


@lru_cache(maxsize=10_000)
def _hash(word: str) -> int:
    digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def unpack(hashes: bytes) -> np.ndarray:
    """Return fingerprints as an array of numbers, shape (n,)."""
    import numpy as np

    return np.frombuffer(hashes, dtype="<u8")
