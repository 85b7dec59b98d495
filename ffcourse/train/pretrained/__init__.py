"""Networks that come trained, so that a chapter on fine-tuning need not wait for pre-training.

``load_pretrained("names")`` gives a network, ``describe("names")`` its card: how it was made, from
which data, and what was measured with it. ``python -m ffcourse.train.pretrained.make`` makes the
files again.
"""

from ffcourse.train.pretrained.load import describe, load_pretrained
from ffcourse.train.pretrained.measure import a_sample, digits_point, names_point, pair_counts
from ffcourse.train.pretrained.recipe import (
    alphabet,
    bits_per_char,
    digits_model,
    digits_split,
    names_model,
    names_split,
)
from ffcourse.train.pretrained.tuning import choose_trained, groups, layers_of, tune_names

__all__ = [
    "a_sample",
    "alphabet",
    "bits_per_char",
    "choose_trained",
    "describe",
    "digits_model",
    "digits_point",
    "digits_split",
    "groups",
    "layers_of",
    "load_pretrained",
    "names_model",
    "names_point",
    "names_split",
    "pair_counts",
    "tune_names",
]
