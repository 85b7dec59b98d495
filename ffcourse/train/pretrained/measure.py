"""The measurements that are shipped beside the weights: data sizes, seeds, forgetting, a leak."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ffcourse import data, nn
from ffcourse.nn.module import Array
from ffcourse.train.adam import Adam
from ffcourse.train.pretrained import recipe, tuning
from ffcourse.train.trainer import Trainer

SIZES = (25, 50, 100, 200, 400, 800, 1600, 3420)
EACH = (1, 2, 5, 10, 20, 50, 100)  # pictures of each of five digits
SEEDS = range(5)
DIGIT_METHODS = (
    "from scratch",
    "random body, frozen",
    "head only",
    "last two layers",
    "all layers",
)
DIGIT_RATES = dict(zip(DIGIT_METHODS, (3e-3, 1e-2, 1e-2, 1e-2, 3e-3), strict=True))

Start = Callable[[], nn.Sequential]
Table = dict[str, dict[str, list[float]]]


def a_sample(names: Array, size: int, seed: int) -> Array:
    """Return the `size` names that run `seed` may use."""
    chosen: Array = names[np.random.default_rng(seed).permutation(len(names))[:size]]
    return chosen


def names_point(start: nn.Sequential, method: str, size: int, seed: int) -> tuple[float, float]:
    """Fine-tune once; return bits per character of test first names and of test surnames."""
    split = recipe.names_split()
    model = tuning.tune_names(start, a_sample(split.train, size, seed), method, seed=seed)
    return (
        recipe.bits_per_char(model, split.test),
        recipe.bits_per_char(model, split.surnames_test),
    )


def names_curves(start: Start, sizes: Iterable[int] = SIZES) -> dict[str, Any]:
    """Measure all methods over all sizes and seeds, with pair counts as the baseline."""
    split = recipe.names_split()
    first: Table = {method: {} for method in tuning.METHODS}
    surnames: Table = {method: {} for method in tuning.METHODS}
    pairs: dict[str, list[float]] = {}
    for size in sizes:
        for method in tuning.METHODS:
            points = [names_point(start(), method, size, seed) for seed in SEEDS]
            first[method][str(size)] = [round(a, 4) for a, _ in points]
            surnames[method][str(size)] = [round(b, 4) for _, b in points]
        samples = [a_sample(split.train, size, seed) for seed in SEEDS]
        pairs[str(size)] = [round(pair_counts(s, split.test), 4) for s in samples]
    return {"first names": first, "surnames": surnames, "letter pairs": pairs}


def pair_counts(names: Iterable[str], test: Iterable[str], add: float = 0.3) -> float:
    """Return bits per character of the simplest model: how often each letter follows another.

    Parameters
    ----------
    names, test : iterable of str
        Where the pairs are counted, and where the counts are tested.
    add : float
        Added to each count, so that no pair is impossible.
    """
    vocabulary = recipe.alphabet()
    X, y = vocabulary.contexts(names, 1)
    counts = np.full((27, 27), add)
    np.add.at(counts, (X[:, 0], y), 1)
    share = counts / counts.sum(axis=1, keepdims=True)
    X, y = vocabulary.contexts(test, 1)
    return float(-np.log2(share[X[:, 0], y]).mean())


def recipes(start: Start, sizes: Iterable[int] = (100, 400)) -> dict[str, Any]:
    """Compare remedies against forgetting: (first names, surnames) for each size and seed."""
    out: dict[str, Any] = {}
    for name, recipe_fn in RECIPES.items():
        out[name] = {
            str(size): [[round(v, 4) for v in recipe_fn(start(), size, s)] for s in SEEDS]
            for size in sizes
        }
    return out


def _whole(lr: float, factor: float = 1.0) -> Callable[..., tuple[float, float]]:
    def run(model: nn.Sequential, size: int, seed: int) -> tuple[float, float]:
        rows = tuning.rows_of(a_sample(recipe.names_split().train, size, seed))
        tuning.fit(model, rows, Adam(tuning.groups(model, lr, factor)), seed=seed)
        return _both(model)

    return run


def _gradual(model: nn.Sequential, size: int, seed: int) -> tuple[float, float]:
    """One epoch with the head, one with two layers, one with three, then all until it stops."""
    rows = tuning.rows_of(a_sample(recipe.names_split().train, size, seed))
    model.freeze()
    optimizer = Adam(tuning.groups(model, 5e-4, 1.0))
    layers = tuning.layers_of(model)
    for layer in layers[::-1]:
        layer.unfreeze()
        tuning.fit(model, rows, optimizer, epochs=100 if layer is layers[0] else 1, seed=seed)
    return _both(model)


def _rehearsal(model: nn.Sequential, size: int, seed: int) -> tuple[float, float]:
    """Mix as many surnames in as there are first names."""
    split = recipe.names_split()
    rows = tuning.rows_of(a_sample(split.train, size, seed))
    old = recipe.alphabet().contexts(a_sample(split.pretrain, size, seed), recipe.CONTEXT)
    X, y = np.concatenate([old[0], rows.X]), np.concatenate([old[1], rows.y])
    optimizer = Adam(model.parameters(), lr=5e-4)
    tuning.fit(model, tuning.Rows(X, y, rows.n_val), optimizer, seed=seed)
    return _both(model)


def _both(model: nn.Sequential) -> tuple[float, float]:
    split = recipe.names_split()
    return (
        recipe.bits_per_char(model, split.test),
        recipe.bits_per_char(model, split.surnames_test),
    )


RECIPES: dict[str, Callable[[nn.Sequential, int, int], tuple[float, float]]] = {
    "all layers": _whole(5e-4),
    "all layers, rate 20 times": _whole(1e-2),
    "layer-wise rates, 0.3 a layer": _whole(5e-4, 0.3),
    "gradual unfreezing": _gradual,
    "surnames mixed in": _rehearsal,
}


def digits_point(start: nn.Sequential, method: str, each: int, seed: int) -> float:
    """Transfer to digits 5 to 9 with `each` pictures a digit; return the share read rightly."""
    split = recipe.digits_split()
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(split.y == k))[:each] for k in range(5)]
    X, y = split.X[np.concatenate(rows)], split.y[np.concatenate(rows)]
    model = recipe.digits_model(1000 + seed)  # its head is new in every method
    if method not in ("from scratch", "random body, frozen"):
        body = {name: a for name, a in start.state_dict().items() if not name.startswith("4.")}
        model.load_state_dict(body, strict=False)
    model.to(np.float64)
    kind = "head only" if method == "random body, frozen" else method
    tuning.choose_trained(model, kind, rng)
    optimizer = Adam([p for p in model.parameters() if p.requires_grad], lr=DIGIT_RATES[method])
    epochs = min(300, max(10, 600 // -(-len(X) // 32)))
    trainer = Trainer(model, nn.CrossEntropyLoss(), optimizer, rng=rng)
    trainer.fit((X.astype(np.float64), y), epochs=epochs, progress=False)
    model.eval()
    read = model(split.X_test).argmax(axis=1)
    return float((read == split.y_test).mean())


def digits_curves(start: Start, sizes: Iterable[int] = EACH) -> dict[str, Any]:
    """Measure all methods over all sizes and seeds, with the nearest mean as the baseline."""
    split = recipe.digits_split()
    out: Table = {method: {} for method in DIGIT_METHODS}
    nearest: dict[str, list[float]] = {}
    for each in sizes:
        for method in DIGIT_METHODS:
            scores = [digits_point(start(), method, each, seed) for seed in SEEDS]
            out[method][str(5 * each)] = [round(v, 4) for v in scores]
        nearest[str(5 * each)] = [round(_nearest_mean(split, each, seed), 4) for seed in SEEDS]
    return {"share right": out, "nearest mean": nearest}


def _nearest_mean(split: recipe.DigitsSplit, each: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(split.y == k))[:each] for k in range(5)]
    means = np.array([split.X[r].mean(axis=0) for r in rows])
    far = ((split.X_test[:, None] - means) ** 2).sum(axis=2)
    return float((far.argmin(axis=1) == split.y_test).mean())


def leak(clean: nn.Sequential, leaky: nn.Sequential) -> dict[str, Any]:
    """Compare two pre-trained networks on the test names that are surnames too.

    Parameters
    ----------
    clean : Sequential
        Pre-trained without them.
    leaky : Sequential
        Pre-trained with them.
    """
    test = recipe.names_split().test
    surnames = set(data.load_names("surnames").X.tolist())
    shared = [name for name in test.tolist() if name in surnames]
    others = [name for name in test.tolist() if name not in surnames]
    return {
        "names": len(shared),
        "shared": [round(recipe.bits_per_char(m, shared), 4) for m in (clean, leaky)],
        "others": [round(recipe.bits_per_char(m, others), 4) for m in (clean, leaky)],
    }
