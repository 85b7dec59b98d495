"""LoRA, quantisation and pruning: trained layers, changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ffcourse import nn
from tests.nn_checks import check_module, check_state_round_trip

rng = np.random.default_rng(0)


def linear(n_in: int = 5, n_out: int = 4, bias: bool = True) -> nn.Linear:
    return nn.Linear(n_in, n_out, bias, rng=np.random.default_rng(1), dtype=np.float64)


def lora(bias: bool = True) -> nn.LoRALinear:
    layer = nn.LoRALinear(linear(bias=bias), r=2, alpha=3, rng=np.random.default_rng(2))
    layer.lora_B.data[...] = rng.normal(size=layer.lora_B.shape)
    return layer


# -- LoRA ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 5), (6, 5), (2, 3, 5)])
def test_lora(shape: tuple[int, ...], bias: bool) -> None:
    check_module(lora(bias), rng.normal(size=shape), rng)


def test_lora_with_an_unfrozen_base() -> None:
    check_module(lora().unfreeze(), rng.normal(size=(3, 5)), rng)


def test_lora_changes_nothing_at_first_and_trains_little() -> None:
    base, x = linear(), rng.normal(size=(3, 5))
    y = base(x)
    layer = nn.LoRALinear(base, r=2)
    np.testing.assert_array_equal(layer(x), y)
    assert layer.num_parameters(trainable_only=True) == 2 * (5 + 4)
    assert [n for n, p in layer.named_parameters() if p.requires_grad] == ["lora_A", "lora_B"]
    assert 0 < np.abs(layer.lora_A.data).max() <= 1 / np.sqrt(5)
    assert layer.lora_A.data.min() < 0 < layer.lora_A.data.max()
    assert layer.lora_A.data.dtype == np.float64


def test_merged_and_unmerged_give_the_same() -> None:
    layer, x = lora(), rng.normal(size=(3, 5))
    y, weight = layer(x), layer.linear.weight.data.copy()
    for _ in range(2):  # the second call changes nothing
        assert layer.merge() is layer
    np.testing.assert_allclose(layer(x), y)
    np.testing.assert_allclose(layer.linear(x), y)
    assert layer.merged
    for _ in range(2):
        assert layer.unmerge() is layer
    np.testing.assert_allclose(layer.linear.weight.data, weight)
    np.testing.assert_allclose(layer(x), y)


def test_merged_lora_refuses_training_but_passes_gradients() -> None:
    layer, x, upstream = lora(), rng.normal(size=(3, 5)), rng.normal(size=(3, 4))
    layer(x)
    dx = layer.backward(upstream)
    layer.merge()(x)
    for backward in (layer.backward, layer.backward_params):
        with pytest.raises(RuntimeError, match=r"call unmerge\(\) first"):
            backward(upstream)
    np.testing.assert_allclose(layer.eval().backward(upstream), dx)
    layer.zero_grad()
    layer.backward_params(upstream)
    assert layer.lora_A.grad is None


def test_add_lora() -> None:
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Residual(nn.Linear(6, 6)))
    new = nn.add_lora(model, r=2, alpha=4, where=lambda name: name != "0", rng=rng)
    assert list(new) == ["2.f"]
    assert new["2.f"].r == 2
    assert new["2.f"].scale == 2
    assert model.num_parameters(trainable_only=True) == 2 * 12
    assert list(nn.add_lora(model, r=1)) == ["0", "2.f"]
    assert new["2.f"].r == 2  # adapted before, left alone
    x = rng.normal(size=(3, 5))
    model(x)
    model.backward_params(np.ones((3, 6), np.float32))
    assert new["2.f"].lora_B.grad is not None


def test_lora_defaults() -> None:
    layer = nn.LoRALinear(nn.Linear(20, 20))
    assert (layer.r, layer.alpha) == (8, 16)
    model = nn.Sequential(nn.Linear(20, 20))
    layer = nn.add_lora(model)["0"]
    assert (layer.r, layer.alpha) == (8, 16)


@pytest.mark.parametrize("r", [0, 5])
def test_lora_rank(r: int) -> None:
    with pytest.raises(ValueError, match=f"r must lie between 1 and 4, got {r}"):
        nn.LoRALinear(linear(), r=r)
    nn.LoRALinear(linear(), r=4)


def test_lora_door_and_repr() -> None:
    with pytest.raises(ValueError, match="Linear: x must have shape"):
        lora()(np.zeros((2, 3)))
    assert repr(lora()) == (
        "LoRALinear(r=2, alpha=3, merged=False\n  (linear): Linear(5, 4, bias=True)\n)"
    )


# -- quantisation -------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(arrays(np.float64, (4, 3), elements=st.floats(-100, 100)))
def test_rounding_error_is_at_most_half_a_step(weight: np.ndarray) -> None:
    numbers, scale = nn.quantize_int8(weight)
    assert numbers.dtype == np.int8
    assert (np.abs(numbers.astype(int)) <= 127).all()
    assert (np.abs(numbers * scale - weight) <= 0.5 * scale * (1 + 1e-9)).all()
    largest = np.abs(weight).max(axis=0)
    np.testing.assert_allclose(np.abs(numbers).max(axis=0)[largest > 1e-9], 127)
    np.testing.assert_array_equal(numbers[weight == 0], 0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 5), (6, 5), (2, 3, 5)])
def test_quantized_linear(shape: tuple[int, ...], bias: bool) -> None:
    base = linear(bias=bias)
    layer, x = nn.QuantizedLinear(base), rng.normal(size=shape)
    check_module(layer, x, rng)
    exact = x @ layer.dequantize() + layer.bias
    np.testing.assert_allclose(layer(x), exact)
    np.testing.assert_allclose(layer(x), base(x), atol=0.02)
    if bias:
        assert layer.bias is not base.bias.data  # type: ignore[union-attr]


def test_a_column_of_zeros_is_kept() -> None:
    numbers, scale = nn.quantize_int8(np.array([[0.0, 254.0], [0.0, 1.0]]))
    np.testing.assert_array_equal(numbers, [[0, 127], [0, 0]])
    np.testing.assert_array_equal(scale, [1 / 127, 2])


def test_quantized_linear_is_small_and_saves() -> None:
    base = nn.Linear(64, 32, rng=rng)
    layer = nn.QuantizedLinear(base)
    assert layer.nbytes == 64 * 32 + 2 * 4 * 32
    assert layer.num_parameters() == 0
    state = layer.state_dict()
    assert state["weight"].dtype == np.int8
    x = rng.normal(size=(2, 64)).astype(np.float32)
    other = nn.QuantizedLinear(nn.Linear(64, 32)).load_state_dict(state)
    np.testing.assert_array_equal(other(x), layer(x))
    assert layer(x).dtype == np.float32
    assert layer.backward(np.ones((2, 32), np.float32)).dtype == np.float32
    with pytest.raises(ValueError, match=r"QuantizedLinear: x must have shape \(\.\.\., 64\)"):
        layer(np.zeros((2, 3)))
    assert repr(layer) == "QuantizedLinear(64, 32, int8)"


def test_quantize_model() -> None:
    model = nn.Sequential(nn.Linear(8, 6, rng=rng), nn.ReLU(), nn.Linear(6, 3, rng=rng))
    x = rng.normal(size=(4, 8)).astype(np.float32)
    y = model(x)
    assert list(nn.quantize_model(model)) == ["0", "2"]
    np.testing.assert_allclose(model(x), y, atol=0.02)
    assert not np.array_equal(model(x), y)


# -- pruning ------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 1), st.integers(0, 99))
def test_masks_drop_the_smallest(amount: float, seed: int) -> None:
    r = np.random.default_rng(seed)
    weights = [r.normal(size=(3, 4)), 5 * r.normal(size=(2, 2))]
    masks = nn.magnitude_masks(weights, amount)
    assert [m.shape for m in masks] == [(3, 4), (2, 2)]
    sizes = np.concatenate([np.abs(w).ravel() for w in weights])
    keep = np.concatenate([m.ravel() for m in masks])
    assert (~keep).sum() == round(amount * 16)
    assert sizes[~keep].max(initial=0) <= sizes[keep].min(initial=np.inf)


def pruned(bias: bool = True) -> nn.PrunedLinear:
    base = linear(bias=bias)
    return nn.PrunedLinear(base, nn.magnitude_masks([base.weight.data], 0.4)[0])


def test_pruned_weights_stay_zero_whatever_the_optimizer_does() -> None:
    layer, x = pruned(), rng.normal(size=(6, 5))
    assert layer.sparsity == pytest.approx(0.4)
    assert (layer.weight.data == 0).mean() == 0.4
    layer.weight.data += 1
    np.testing.assert_allclose(layer(x), x @ (layer.weight.data * layer.mask) + layer.bias.data)  # type: ignore[union-attr]
    assert (layer.weight.data[~layer.mask] == 0).all()
    layer.backward(rng.normal(size=(6, 4)))
    assert layer.weight.grad is not None
    assert (layer.weight.grad[~layer.mask] == 0).all()
    assert (layer.weight.grad[layer.mask] != 0).all()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 5), (2, 3, 5)])
def test_pruned_linear_passes_gradients(shape: tuple[int, ...], bias: bool) -> None:
    layer, x = pruned(bias), rng.normal(size=shape)
    layer(x)
    upstream = rng.normal(size=(*shape[:-1], 4))
    np.testing.assert_allclose(layer.backward(upstream), upstream @ layer.weight.data.T)
    dense = x.reshape(-1, 5).T @ upstream.reshape(-1, 4)
    np.testing.assert_allclose(layer.weight.grad, dense * layer.mask)
    check_state_round_trip(layer, x)
    layer.freeze()
    layer.backward(upstream)
    assert layer.weight.grad is None


def test_prune_model() -> None:
    def model() -> nn.Sequential:
        r = np.random.default_rng(3)
        return nn.Sequential(nn.Linear(6, 5, rng=r), nn.Tanh(), nn.Linear(5, 2, rng=r))

    one = model()
    one[2].weight.data *= 100  # type: ignore[attr-defined]
    layers = nn.prune_model(one, 0.5)
    assert list(layers) == ["0", "2"]
    assert layers["0"].sparsity == pytest.approx(20 / 30)  # all of the losses are here
    assert layers["2"].sparsity == 0
    assert one[0] is layers["0"]
    two = nn.prune_model(model(), 0.5, scope="layer")
    assert [layer.sparsity for layer in two.values()] == [0.5, 0.5]
    one_again = nn.prune_model(one, 0.7)
    assert one_again["0"].sparsity == pytest.approx(28 / 30)
    assert isinstance(one[0], nn.PrunedLinear)
    assert repr(one[0]) == "PrunedLinear(6, 5, bias=True, sparsity=0.93)"


def test_bad_pruning() -> None:
    for amount in (-0.1, 1.1):
        with pytest.raises(ValueError, match=r"amount must lie in \[0, 1\]"):
            nn.magnitude_masks([np.ones(3)], amount)
    with pytest.raises(ValueError, match='scope must be "global" or "layer"'):
        nn.prune_model(nn.Sequential(nn.Linear(2, 2)), 0.5, scope="all")
    with pytest.raises(ValueError, match="contains no Linear layer"):
        nn.prune_model(nn.Sequential(nn.ReLU()), 0.5)
    with pytest.raises(ValueError, match=r"mask must have shape \(5, 4\), got \(4, 5\)"):
        nn.PrunedLinear(linear(), np.ones((4, 5)))
    with pytest.raises(ValueError, match="PrunedLinear: x must have shape"):
        pruned()(np.zeros((2, 3)))
