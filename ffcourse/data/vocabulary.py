"""From text to numbers and back: characters and words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ffcourse.data.check import Array, whole


class CharVocabulary:
    """Numbers the characters of some texts; number 0 is the mark for start and end.

    Parameters
    ----------
    texts : iterable of str
        Where the characters come from. The order of the numbers is alphabetical, so that it
        does not depend on the order of the texts.
    end : str
        The mark, one character that occurs in no text. It ends a text, and stands for what
        comes before its first character.

    Examples
    --------
    >>> vocabulary = CharVocabulary(["anna", "nan"])
    >>> vocabulary.encode("nan")
    array([2, 1, 2, 0])
    >>> vocabulary.decode([2, 1, 2, 0])
    'nan'
    """

    def __init__(self, texts: Iterable[str], end: str = ".") -> None:
        characters = sorted(set().union(*(set(text) for text in _texts(texts))))
        if len(end) != 1:
            raise ValueError(f"end must be one character, but got {end!r}.")
        if end in characters:
            raise ValueError(f"The end mark {end!r} occurs in the texts. Choose another one.")
        self.end = end
        self.symbols: tuple[str, ...] = (end, *characters)
        self._number = {symbol: i for i, symbol in enumerate(self.symbols)}

    def __len__(self) -> int:
        return len(self.symbols)

    def __repr__(self) -> str:
        return f"CharVocabulary({len(self)} symbols: {''.join(self.symbols)!r}, end={self.end!r})"

    def encode(self, text: str, *, end: bool = True) -> Array:
        """Return the numbers of the characters of `text`, int64, with the end mark at the end."""
        _single(text)
        try:
            numbers = [self._number[character] for character in text]
        except KeyError as error:
            raise ValueError(
                f"The character {error.args[0]!r} of {text!r} is not in the vocabulary "
                f"{''.join(self.symbols)!r}."
            ) from None
        return np.array([*numbers, 0] if end else numbers, dtype=np.int64)

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of `numbers`, up to the first end mark."""
        text = []
        given = np.asarray(list(numbers) if isinstance(numbers, Iterator) else numbers)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise TypeError(
                "numbers must be one sequence of integers, as encode makes it, but got shape "
                f"{given.shape} and dtype {given.dtype}."
            )
        for number in given.tolist():
            if not 0 <= number < len(self):
                raise ValueError(f"numbers must lie in 0..{len(self) - 1}, but got {number}.")
            if number == 0:
                break
            text.append(self.symbols[number])
        return "".join(text)

    def contexts(self, texts: Iterable[str], n: int) -> tuple[Array, Array]:
        """Return every stretch of `n` characters with the character that follows it.

        Parameters
        ----------
        texts : iterable of str
            Texts in this vocabulary.
        n : int
            Characters in a context. Before a text's first character stand end marks.

        Returns
        -------
        X : ndarray, shape (N, n), int64
            One row for each character of each text, and one for its end.
        y : ndarray, shape (N,), int64
            The next character.
        """
        whole(n, "n")
        start = [0] * n
        rows = [np.array([*start, *self.encode(text)]) for text in _texts(texts)]
        # A text of L characters gives L + 1 pairs, its end mark included.
        X = [np.lib.stride_tricks.sliding_window_view(row[:-1], n) for row in rows]
        return np.concatenate(X).astype(np.int64), np.concatenate([row[n:] for row in rows])

    def sequences(self, texts: Iterable[str], length: int | None = None) -> tuple[Array, ...]:
        """Return whole texts as rows, shifted by one, for recurrent networks and transformers.

        Parameters
        ----------
        texts : iterable of str
            Texts in this vocabulary.
        length : int, optional
            Columns T; by default what the longest text needs, its characters plus one.

        Returns
        -------
        X : ndarray, shape (N, T), int64
            The end mark, then the text; filled up with end marks.
        y : ndarray, shape (N, T), int64
            The text, then the end mark; filled up with end marks.
        mask : ndarray, shape (N, T), bool
            True where `y` counts, False where it only fills up.
        """
        rows = [self.encode(text) for text in _texts(texts)]
        longest = max(len(row) for row in rows)
        columns = longest if length is None else whole(length, "length")
        if longest > columns:
            raise ValueError(
                f"length={length} is too short: the longest text needs {longest} columns "
                "(its characters and the end mark)."
            )
        y = np.zeros((len(rows), columns), dtype=np.int64)
        mask = np.zeros(y.shape, dtype=bool)
        for i, row in enumerate(rows):
            y[i, : len(row)] = row
            mask[i, : len(row)] = True
        X = np.zeros_like(y)
        X[:, 1:] = y[:, :-1]
        return X, y, mask


def words(text: str) -> list[str]:
    """Return the words of `text` in lower case; "don't" is one word, punctuation is dropped."""
    _single(text)
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)?", text.lower().replace("’", "'"))


class WordVocabulary:
    """Numbers the words of training texts; number 0 stands for every word it does not know.

    Parameters
    ----------
    texts : iterable of str
        Training texts only: words of the test texts would be leakage.
    min_count : int
        Words that occur less often are unknown.

    Examples
    --------
    >>> vocabulary = WordVocabulary(["good film", "bad film"])
    >>> vocabulary.symbols
    ('<unknown>', 'film', 'bad', 'good')
    >>> vocabulary.counts(["a good, good film"])
    array([[1., 1., 0., 2.]], dtype=float32)
    """

    def __init__(self, texts: Iterable[str], min_count: int = 1) -> None:
        whole(min_count, "min_count")
        counted = Counter(word for text in _texts(texts) for word in words(text))
        kept = [(-n, word) for word, n in counted.items() if n >= min_count]
        self.symbols: tuple[str, ...] = ("<unknown>", *(word for _, word in sorted(kept)))
        self._number = {word: i for i, word in enumerate(self.symbols)}

    def __len__(self) -> int:
        return len(self.symbols)

    def __repr__(self) -> str:
        return f"WordVocabulary({len(self)} words, '<unknown>' among them)"

    def encode(self, text: str) -> Array:
        """Return the numbers of the words of `text`, int64."""
        return np.array([self._number.get(word, 0) for word in words(text)], dtype=np.int64)

    def counts(self, texts: Iterable[str]) -> Array:
        """Return how often each word occurs in each text (bag of words), (N, words) float32."""
        given = _texts(texts)
        table = np.zeros((len(given), len(self)), dtype=np.float32)
        for i, text in enumerate(given):
            np.add.at(table[i], self.encode(text), 1)
        return table


def one_hot(values: Any, classes: int | None = None, *, dtype: Any = np.float32) -> Array:
    """Return a row of zeros with a single 1 for each class number.

    Parameters
    ----------
    values : array_like of int, any shape
        Class numbers, from 0.
    classes : int, optional
        Columns; by default the largest number plus one.
    dtype : dtype
        Type of the result.

    Returns
    -------
    ndarray, shape (*values.shape, classes)
    """
    numbers = np.asarray(values)
    if numbers.size == 0 or not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(
            f"values must be class numbers (integers), but got shape {numbers.shape} "
            f"and dtype {numbers.dtype}."
        )
    columns = int(numbers.max()) + 1 if classes is None else whole(classes, "classes")
    if numbers.min() < 0 or numbers.max() >= columns:
        raise ValueError(
            f"values must lie in 0..{columns - 1}, but they reach from {numbers.min()} to "
            f"{numbers.max()}."
        )
    table: Array = np.eye(columns, dtype=dtype)
    rows: Array = table[numbers]
    return rows


def _single(text: Any) -> None:
    if not isinstance(text, str):
        raise TypeError(f"text must be a single string, but got {type(text).__name__}.")


def _texts(texts: Iterable[str]) -> Sequence[str]:
    if isinstance(texts, str):
        raise TypeError("texts must be a list of strings, but it is a single string: use [text].")
    if not isinstance(texts, Iterable):
        raise TypeError(f"texts must be a list of strings, but got {type(texts).__name__}.")
    given = [str(text) for text in texts]
    if not given:
        raise ValueError("texts is empty. Give at least one text.")
    return given
