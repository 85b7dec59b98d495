"""Made-up ratings with a known structure, for the recommendation example."""

from __future__ import annotations

import numpy as np

from ffcourse.data.card import DataCard, Dataset
from ffcourse.data.check import Rng, as_rng, fraction, not_negative, whole


def make_ratings(
    users: int = 200,
    items: int = 100,
    rank: int = 3,
    observed: float = 0.2,
    noise: float = 0.3,
    rng: Rng = None,
) -> Dataset:
    """Draw ratings of a low-rank model: taste of a user times character of an item, plus noise.

    Parameters
    ----------
    users, items : int
        Size of the table.
    rank : int
        Hidden tastes; no more than the smaller side of the table.
    observed : float
        Share of the table that is rated, chosen at random. Every user and every item is rated
        at least once.
    noise : float
        Standard deviation of the noise. No model can have a lower root mean squared error on
        unseen ratings, except by luck.
    rng : Generator, int or None
        Where the randomness comes from.

    Returns
    -------
    Dataset
        ``X`` (N, 2) int64: number of the user, number of the item. ``y`` (N,) float32: the
        rating, around 3 with a standard deviation of about 1; not rounded, not cut off.
    """
    for value, name in ((users, "users"), (items, "items"), (rank, "rank")):
        whole(value, name)
    if rank > min(users, items):
        raise ValueError(f"rank must be at most {min(users, items)} here, but got {rank}.")
    generator = as_rng(rng)
    taste = generator.normal(size=(users, rank))
    character = generator.normal(size=(items, rank))
    table = 3 + taste @ character.T / np.sqrt(rank)  # (users, items)
    rated = generator.random(table.shape) < fraction(observed, "observed")
    rated[np.arange(users), generator.integers(items, size=users)] = True
    rated[generator.integers(users, size=items), np.arange(items)] = True
    pairs = generator.permutation(np.argwhere(rated))
    y = table[pairs[:, 0], pairs[:, 1]]
    y = y + not_negative(noise, "noise") * generator.normal(size=len(y))
    card = DataCard(
        title="Synthetic ratings",
        source="drawn by ffcourse.data.make_ratings from a random generator; synthetic, no "
        "person rated anything",
        authors="ffcourse",
        year="",
        licence="CC0",
        size=f"{len(y)} ratings by {users} users of {items} items, rank {rank}, noise {noise}",
        faults=(
            "Real ratings are whole stars, are not missing at random (people rate what they "
            "choose), and have no exact rank.",
        ),
        note="A model that fits exactly the hidden structure has an RMSE equal to the noise.",
    )
    return Dataset(pairs, y.astype(np.float32), ("user", "item"), ("rating",), card)
