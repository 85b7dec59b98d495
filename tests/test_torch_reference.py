"""The stored references are what PyTorch computes: made again and compared, where it is there."""

from __future__ import annotations

import numpy as np
import pytest

from tests.nn_checks import assert_parity
from tests.torch_reference import registry


@pytest.mark.torch
@pytest.mark.parametrize("group", registry.groups())
def test_stored_references_are_what_pytorch_computes(group: str) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[torch]'")
    made, stored = registry.make(group), registry.stored(group)
    assert sorted(made) == sorted(stored), "python -m tests.torch_reference.make_references"
    for key, value in made.items():
        if value.dtype.kind == "f":
            assert_parity(value, stored[key], key.split("/")[1], key)
        else:
            np.testing.assert_array_equal(value, stored[key], err_msg=key)
