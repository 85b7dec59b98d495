"""Agreement with PyTorch 2.13: outputs, gradients, running statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ffcourse import nn
from tests.nn_checks import assert_parity, check_module_parity
from tests.torch_reference import cases_core, registry

DTYPES = registry.DTYPES


def build(kind: str, args: tuple[Any, ...], options: dict[str, Any]) -> nn.Module:
    return getattr(nn, kind)(*args, **options)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", cases_core.ACTIVATIONS)
def test_activation(name: str, dtype: str) -> None:
    kind, options = cases_core.ACTIVATIONS[name]
    check_module_parity(build(kind, (), options), registry.reference("core", name, dtype), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", cases_core.LAYERS)
def test_layer(name: str, dtype: str) -> None:
    kind, args, options, _ = cases_core.LAYERS[name]
    check_module_parity(build(kind, args, options), registry.reference("core", name, dtype), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_batch_norm_in_evaluation(dtype: str) -> None:
    reference = registry.reference("core", "batch_norm_eval", dtype)
    check_module_parity(nn.BatchNorm1d(5).eval(), reference, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_mlp(dtype: str) -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 3))
    check_module_parity(model, registry.reference("core", "mlp", dtype), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", cases_core.LOSSES)
def test_loss(name: str, dtype: str) -> None:
    kind, options, _, _ = cases_core.LOSSES[name]
    expected = registry.reference("core", name, dtype)
    loss_fn = getattr(nn, kind)(**options)
    value = loss_fn(expected["logits"], expected["target"])
    assert_parity(value, expected["loss"], dtype, "loss")
    gradient = loss_fn.backward()
    assert gradient.dtype == np.dtype(dtype)
    assert_parity(gradient, expected["grad"], dtype, "gradient")


@pytest.mark.parametrize("dtype", DTYPES)
def test_distillation(dtype: str) -> None:
    expected = registry.reference("core", "distillation", dtype)
    loss_fn = nn.DistillationLoss(temperature=3, alpha=0.7)
    value = loss_fn(expected["logits"], expected["target"], expected["teacher"])
    assert_parity(value, expected["loss"], dtype, "loss")
    assert_parity(loss_fn.backward(), expected["grad"], dtype, "gradient")
