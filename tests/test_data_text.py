"""Names, characters, words and one-hot rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import data

names = st.lists(st.text("abcdefg", min_size=1, max_size=8), min_size=1, max_size=12)


def test_no_test_name_is_seen_in_pretraining():
    surnames, female = data.load_names("surnames").X, data.load_names("female").X
    pretrain, train, test = data.split_names(surnames, female, test=0.2, rng=0)
    assert not set(test) & set(pretrain)
    assert not set(test) & set(train)
    assert set(train) | set(test) == set(female)
    assert set(pretrain) == set(surnames) - set(test)
    assert len(test) == 855
    # Shuffled: the first hundred are not the hundred most frequent.
    assert set(train[:100]) != set(female[:100])
    again = data.split_names(surnames, female, test=0.2, rng=0)
    np.testing.assert_array_equal(again[1], train)


def test_doubles_do_not_leak():
    pretrain, train, test = data.split_names(
        ["x", "a", "x"], ["a", "a", "b", "c"], test=0.34, rng=1
    )
    assert len(train) + len(test) == 3
    assert not set(train) & set(test)
    assert len(set(pretrain)) == len(pretrain)


def test_split_names_errors():
    with pytest.raises(ValueError, match="finetune is empty"):
        data.split_names(["a"], [], rng=0)
    with pytest.raises(TypeError, match="pretrain must be a sequence of strings"):
        data.split_names("anna", ["a", "b"], rng=0)
    with pytest.raises(ValueError, match="leaves one part empty"):
        data.split_names(["a"], ["b"], rng=0)
    with pytest.raises(TypeError, match="rng must be"):
        data.split_names(["a"], ["b", "c"], rng=None)


@given(texts=names)
@settings(max_examples=50, deadline=None)
def test_encode_decode_is_identity(texts):
    vocabulary = data.CharVocabulary(texts)
    for text in texts:
        numbers = vocabulary.encode(text)
        assert numbers.dtype == np.int64
        assert numbers[-1] == 0
        assert vocabulary.decode(numbers) == text
        assert vocabulary.decode(vocabulary.encode(text, end=False)) == text
    assert data.CharVocabulary(reversed(texts)).symbols == vocabulary.symbols


@given(texts=names, n=st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_contexts_against_a_loop(texts, n):
    vocabulary = data.CharVocabulary(texts)
    expected = []
    for text in texts:
        padded = "." * n + text + "."
        expected += [(padded[i : i + n], padded[i + n]) for i in range(len(text) + 1)]
    X, y = vocabulary.contexts(texts, n)
    assert X.shape == (sum(map(len, texts)) + len(texts), n)
    symbols = vocabulary.symbols
    found = [("".join(symbols[i] for i in row), symbols[j]) for row, j in zip(X, y, strict=True)]
    assert found == expected


@given(texts=names)
@settings(max_examples=50, deadline=None)
def test_sequences_are_shifted_by_one(texts):
    vocabulary = data.CharVocabulary(texts)
    X, y, mask = vocabulary.sequences(texts)
    assert X.shape == y.shape == mask.shape == (len(texts), max(map(len, texts)) + 1)
    for i, text in enumerate(texts):
        assert mask[i].sum() == len(text) + 1
        np.testing.assert_array_equal(y[i, mask[i]], vocabulary.encode(text))
        np.testing.assert_array_equal(X[i, 1:], y[i, :-1])
        assert X[i, 0] == 0
        assert not y[i, ~mask[i]].any()


def test_character_vocabulary_errors():
    vocabulary = data.CharVocabulary(["anna"])
    assert repr(vocabulary) == "CharVocabulary(3 symbols: '.an', end='.')"
    with pytest.raises(ValueError, match="'z' of 'zoe' is not in the vocabulary"):
        vocabulary.encode("zoe")
    with pytest.raises(ValueError, match=r"numbers must lie in 0\.\.2, but got 3"):
        vocabulary.decode([3])
    with pytest.raises(ValueError, match="occurs in the texts"):
        data.CharVocabulary(["a.b"])
    with pytest.raises(ValueError, match="end must be one character"):
        data.CharVocabulary(["ab"], end="")
    with pytest.raises(TypeError, match=r"use \[text\]"):
        data.CharVocabulary("anna")
    with pytest.raises(ValueError, match="texts is empty"):
        data.CharVocabulary([])
    with pytest.raises(ValueError, match="too short: the longest text needs 5 columns"):
        vocabulary.sequences(["anna"], length=4)
    with pytest.raises(ValueError, match="n must be at least 1"):
        vocabulary.contexts(["anna"], 0)


def test_words_and_counts():
    assert data.words("Don't panic, it’s 42!") == ["don't", "panic", "it's", "42"]
    vocabulary = data.WordVocabulary(["good film", "bad film", "rare"], min_count=2)
    assert vocabulary.symbols == ("<unknown>", "film")
    np.testing.assert_array_equal(vocabulary.counts(["a film, a film"]), [[2, 2]])
    np.testing.assert_array_equal(vocabulary.encode("Film noir"), [1, 0])
    assert len(vocabulary) == 2


def test_sentences_can_be_learned_from_words():
    X, y = data.load_sentences()
    scores = []
    for seed in range(5):
        X_train, X_test, y_train, y_test = data.train_test_split(X, y, 0.25, rng=seed)
        vocabulary = data.WordVocabulary(X_train)
        counts = vocabulary.counts(X_train)
        # Naive Bayes: the log ratio of smoothed word shares, summed over a sentence.
        shares = [np.log(counts[y_train == k].sum(axis=0) + 1) for k in (0, 1)]
        evidence = vocabulary.counts(X_test)[:, 1:] @ (shares[1] - shares[0])[1:]
        scores.append(np.mean((evidence > 0) == y_test))
    assert 0.65 < np.mean(scores) < 0.95


def test_one_hot():
    np.testing.assert_array_equal(data.one_hot([0, 2]), [[1, 0, 0], [0, 0, 1]])
    assert data.one_hot(np.zeros((2, 3), int), 4).shape == (2, 3, 4)
    assert data.one_hot([1], dtype=np.float64).dtype == np.float64
    with pytest.raises(ValueError, match=r"values must lie in 0\.\.1"):
        data.one_hot([0, 2], 2)
    with pytest.raises(ValueError, match="values must be class numbers"):
        data.one_hot([0.5])


def test_texts_and_numbers_of_another_kind_are_told() -> None:
    chars = data.CharVocabulary(["anna"])
    words = data.WordVocabulary(["good film"])
    for text in (None, 3, ["anna"]):
        for encode in (chars.encode, words.encode, data.words):
            with pytest.raises(TypeError, match="text must be a single string, but got"):
                encode(text)  # type: ignore[operator]
    for make in (data.CharVocabulary, data.WordVocabulary, words.counts):
        with pytest.raises(TypeError, match="texts must be a list of strings, but got NoneType"):
            make(None)  # type: ignore[operator]
    for numbers in (None, 1, "ab", [1.0], [[1, 2]]):
        with pytest.raises(TypeError, match="numbers must be one sequence of integers, as encode"):
            chars.decode(numbers)  # type: ignore[arg-type]
    assert chars.decode(iter([1, 2])) == "an"
    assert chars.decode([]) == ""
    for pretrain in (None, 3):
        with pytest.raises(TypeError, match="pretrain must be a sequence of strings, but got"):
            data.split_names(pretrain, ["a", "b"], rng=0)  # type: ignore[arg-type]
