"""Data sets with their sources and faults, splits without leakage, and mini-batches.

Every set is inside the package: nothing is downloaded. ``print(load_digits())`` shows its card.
"""

from ffcourse.data.batches import DataLoader, batches
from ffcourse.data.card import DataCard, Dataset
from ffcourse.data.images import augment, load_digits
from ffcourse.data.names import load_names, split_names
from ffcourse.data.ratings import make_ratings
from ffcourse.data.scale import Standardizer
from ffcourse.data.series import load_sunspots, windows
from ffcourse.data.split import chronological_split, train_test_split, train_val_test_split
from ffcourse.data.tabular import (
    credit_levels,
    load_auto_mpg,
    load_breast_cancer,
    load_credit,
)
from ffcourse.data.text import load_sentences
from ffcourse.data.toy import make_blobs, make_circles, make_moons, make_spirals, make_xor
from ffcourse.data.vocabulary import CharVocabulary, WordVocabulary, one_hot, words

__all__ = [
    "CharVocabulary",
    "DataCard",
    "DataLoader",
    "Dataset",
    "Standardizer",
    "WordVocabulary",
    "augment",
    "batches",
    "chronological_split",
    "credit_levels",
    "load_auto_mpg",
    "load_breast_cancer",
    "load_credit",
    "load_digits",
    "load_names",
    "load_sentences",
    "load_sunspots",
    "make_blobs",
    "make_circles",
    "make_moons",
    "make_ratings",
    "make_spirals",
    "make_xor",
    "one_hot",
    "split_names",
    "train_test_split",
    "train_val_test_split",
    "windows",
    "words",
]
