"""Bad sizes, options and gradients: one clear error each, which says what was wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffcourse import nn
from ffcourse.nn import checks
from ffcourse.nn.files import write_atomically
from ffcourse.nn.recurrent import Recurrent

NAN = float("nan")


def linear() -> nn.Linear:
    return nn.Linear(4, 3, rng=np.random.default_rng(0))


# -- sizes and options -------------------------------------------------------------------------

BAD_SIZES = [0, -1, 2.0, 1.5, "2", None, True]
SIZES: dict[str, Callable[[Any], Any]] = {
    "Linear: in_features": lambda n: nn.Linear(n, 3),
    "Linear: out_features": lambda n: nn.Linear(3, n),
    "Conv2d: in_channels": lambda n: nn.Conv2d(n, 3, 2),
    "Conv2d: out_channels": lambda n: nn.Conv2d(3, n, 2),
    "RNN: input_size": lambda n: nn.RNN(n, 3),
    "RNN: hidden_size": lambda n: nn.RNN(3, n),
    "LSTM: input_size": lambda n: nn.LSTM(n, 3),
    "LSTM: hidden_size": lambda n: nn.LSTM(3, n),
    "GRU: input_size": lambda n: nn.GRU(n, 3),
    "GRU: hidden_size": lambda n: nn.GRU(3, n),
    "Embedding: num_embeddings": lambda n: nn.Embedding(n, 3),
    "Embedding: embedding_dim": lambda n: nn.Embedding(3, n),
    "LearnedPositions: max_length": lambda n: nn.LearnedPositions(n, 3),
    "LearnedPositions: d_model": lambda n: nn.LearnedPositions(3, n),
    "SinusoidalPositions: max_length": lambda n: nn.SinusoidalPositions(n, 3),
    "SinusoidalPositions: d_model": lambda n: nn.SinusoidalPositions(3, n),
    "LayerNorm: normalized_shape": nn.LayerNorm,
    "RMSNorm: normalized_shape": lambda n: nn.RMSNorm((3, n)),
    "BatchNorm1d: num_features": nn.BatchNorm1d,
    "BatchNorm2d: num_features": nn.BatchNorm2d,
    "MultiHeadSelfAttention: d_model": lambda n: nn.MultiHeadSelfAttention(n, 1),
    "FeedForward: d_model": nn.FeedForward,
    "GPT: vocab_size": lambda n: nn.GPT(n, 4),
    "GPT: max_length": lambda n: nn.GPT(4, n),
    "GPT: num_layers": lambda n: nn.GPT(4, 4, num_layers=n),
}


@pytest.mark.parametrize("size", BAD_SIZES)
@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_whole_numbers(name: str, size: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got"):
        SIZES[name](size)


@pytest.mark.parametrize("size", [1, np.int64(3)])
@pytest.mark.parametrize("name", SIZES)
def test_whole_numbers_of_any_kind_are_fine(name: str, size: Any) -> None:
    SIZES[name](size)


def test_sizes_in_a_list_and_none_at_all() -> None:
    assert nn.LayerNorm([2, 3]).normalized_shape == (2, 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"normalized_shape must be a whole number .* got \(\)"):
        nn.LayerNorm(())
    with pytest.raises(ValueError, match="d_ff must be a whole number of at least 1, got 0"):
        nn.FeedForward(4, 0)


OPTIONS: list[tuple[Callable[[Any], Any], str, list[Any]]] = [
    (nn.Dropout, r"Dropout: p must lie in \[0, 1\], got", [-0.1, 1.1, NAN, "a", None]),
    (nn.LeakyReLU, "LeakyReLU: negative_slope must be a number, got", ["a", None, NAN]),
    (
        lambda v: nn.CrossEntropyLoss(label_smoothing=v),
        r"label_smoothing must lie in \[0, 1\], got",
        [-0.1, 1.1, NAN, "a", None],
    ),
    (
        lambda v: nn.CrossEntropyLoss(weight=v),
        "weight must hold a number of at least 0 for each class, got",
        [[1, -1], [1, NAN], ["a", "b"], 1.0, [[1, 2]]],
    ),
    (lambda v: nn.LayerNorm(3, v), "eps must be a number of at least 0, got", [-1e-9, NAN, "a"]),
    (lambda v: nn.RMSNorm(3, v), "eps must be a number of at least 0, got", [-1e-9, NAN, "a"]),
    (lambda v: nn.BatchNorm1d(3, v), "eps must be a number of at least 0, got", [-1e-9, NAN, "a"]),
    (
        lambda v: nn.BatchNorm1d(3, momentum=v),
        r"momentum must lie in \[0, 1\], got",
        [-0.1, 1.1, NAN, "a", True],
    ),
    (
        lambda v: nn.MultiHeadSelfAttention(4, v),
        "num_heads must divide d_model = 4 evenly, got",
        [2.0, "2", None, 3],
    ),
    (
        lambda v: nn.Embedding(4, 2, v),
        "padding_idx must lie between 0 and 3, got",
        [-1, 4, 1.0],
    ),
    (lambda v: nn.LoRALinear(linear(), v), "r must lie between 1 and 3, got", [0, 4, 1.5]),
    (lambda v: nn.LoRALinear(linear(), 1, v), "alpha must be a number, got", ["a", NAN, None]),
    (
        lambda v: nn.BCEWithLogitsLoss(pos_weight=v),
        "pos_weight must be a number of at least 0, got",
        [-1, NAN, "sum", np.ones(3)],
    ),
    (nn.DistillationLoss, "temperature must be", [0, -1, NAN, "a"]),
    (
        lambda v: nn.DistillationLoss(alpha=v),
        r"alpha must lie in \[0, 1\], got",
        [-0.1, 1.1, NAN, "a"],
    ),
    (
        lambda v: nn.L2Penalty(linear().parameters(), v),
        "L2Penalty: strength must be a number of at least 0, got",
        [-0.1, NAN, "a", None],
    ),
    (
        lambda v: nn.magnitude_masks([np.ones(3)], v),
        r"amount must lie in \[0, 1\], got",
        [-0.1, 50, NAN, "a"],
    ),
    (
        lambda v: nn.init.normal_(np.ones((2, 2)), 0, v),
        "std must be a number of at least 0, got",
        [-1, NAN, "a"],
    ),
    (lambda v: nn.init.normal_(np.ones((2, 2)), v), "mean must be a number, got", [NAN, "a"]),
    (lambda v: nn.init.uniform_(np.ones(2), v, 1), "low must be a number, got", [NAN, "a"]),
    (
        lambda v: nn.init.uniform_(np.ones(2), 1, v),
        "high must be a number of at least 1, got",
        [0.5, NAN, "a"],
    ),
    (
        lambda v: nn.init.xavier_uniform_(np.ones((2, 2)), v),
        "gain must be a number of at least 0, got",
        [-1, "relu", NAN],
    ),
    (
        lambda v: nn.init.xavier_normal_(np.ones((2, 2)), v),
        "gain must be a number of at least 0, got",
        [-1, "relu", NAN],
    ),
    (
        lambda v: nn.init.kaiming_normal_(np.ones((2, 2)), v),
        "the negative slope must be a number, got",
        ["relu", NAN],
    ),
    (lambda v: nn.init.constant_(np.ones(2), v), "value must be a number, got", ["a", np.ones(3)]),
    (
        lambda v: nn.GPT(4, 4).generate([1], v),
        "max_new_tokens must be a whole number of at least 0, got",
        [-1, 1.5, None],
    ),
    (
        lambda v: nn.GPT(4, 4).generate([1], 1, temperature=v),
        "temperature must be a number of at least 0, got",
        [NAN, "a", None],
    ),
    (
        lambda v: nn.GPT(4, 4).generate([1], 1, top_k=v),
        "top_k must be a whole number of at least 1, got",
        [0, 1.5, "a"],
    ),
]


@pytest.mark.parametrize(
    ("make", "message", "value"), [(m, text, v) for m, text, values in OPTIONS for v in values]
)
def test_options(make: Callable[[Any], Any], message: str, value: Any) -> None:
    with pytest.raises(ValueError, match=message):
        make(value)


def test_the_ends_of_a_range_belong_to_it() -> None:
    assert checks.number(0, "x", 0, 1) == 0
    assert checks.number(1, "x", 0, 1) == 1
    assert checks.number(np.float32(0.5), "x", 0, 1) == 0.5
    assert checks.number(float("inf"), "x", 0) == float("inf")
    assert checks.whole(np.int8(2), "x", 2) == 2
    assert type(checks.whole(np.int8(2), "x")) is int
    assert nn.GPT(4, 4).generate([1], 0).tolist() == [1]
    assert nn.BatchNorm1d(3, 0, momentum=1).momentum == 1


WRONG_OBJECTS: list[tuple[Callable[[], Any], str]] = [
    (lambda: nn.LoRALinear(nn.ReLU(), 1), "LoRALinear: expected a Linear layer, got ReLU"),  # type: ignore[arg-type]
    (lambda: nn.QuantizedLinear(nn.Linear), "QuantizedLinear: expected a Linear layer, got Linear"),  # type: ignore[arg-type]
    (lambda: nn.PrunedLinear(None, np.ones(3)), "PrunedLinear: expected .* got NoneType"),  # type: ignore[arg-type]
    (lambda: nn.TiedHead(np.ones((3, 2))), "embedding.weight, got ndarray"),  # type: ignore[arg-type]
    (lambda: nn.L1Penalty(linear(), 0.1), r"model.parameters\(\), got Linear"),  # type: ignore[arg-type]
    (lambda: nn.L1Penalty(linear().weight, 0.1), r"model.parameters\(\), got Parameter"),  # type: ignore[arg-type]
    (lambda: nn.L2Penalty([np.ones(2)], 0.1), "expected Parameter objects, got ndarray"),  # type: ignore[list-item]
    (lambda: nn.L2Penalty("weight", 0.1), r"model.parameters\(\), got str"),  # type: ignore[arg-type]
    (lambda: nn.magnitude_masks(np.ones((2, 2)), 0.5), r"for a single one use \[w\]"),
    (lambda: nn.magnitude_masks([], 0.5), r"for a single one use \[w\]"),
    (lambda: nn.quantize_int8(np.ones((2, 2), int)), "weight must hold floating-point numbers"),
    (lambda: nn.init.zeros_(linear().train), "such as layer.weight.* got method"),  # type: ignore[type-var]
    (lambda: nn.init.ones_(np.ones(2, int)), "a floating-point array in place; got dtype int64"),
    (lambda: nn.init.normal_([1.0, 2.0]), "got list"),  # type: ignore[type-var]
    (
        lambda: nn.DistillationLoss()(np.ones((1, 2)), np.array([0]), np.ones((1, 2), int)),
        "teacher_logits must hold floating-point numbers, got dtype int64",
    ),
    (lambda: nn.Sequential().append(nn.ReLU), "Sequential: layer 0 must be a module"),  # type: ignore[arg-type]
    (lambda: nn.Sequential(nn.ReLU()).__setitem__(0, 3), "Sequential: layer 0 must be a module"),  # type: ignore[arg-type]
    (lambda: nn.Residual(nn.ReLU), "Residual: f must be a module"),  # type: ignore[arg-type]
    (lambda: nn.Parameter([1.0]), "Parameter: expected an array of floating-point numbers"),  # type: ignore[arg-type]
    (
        lambda: nn.Parameter(None),
        "Parameter: expected an array of floating-point numbers, got None",
    ),  # type: ignore[arg-type]
    (lambda: nn.Parameter(np.arange(3)), r"got array\(\[0, 1, 2\]\)"),
    (lambda: nn.Linear(2, 2, dtype=int), "Parameter: expected an array of floating-point numbers"),
    (lambda: nn.GRU(2, 2, dtype=np.int64), "Parameter: expected an array of floating-point"),
    (lambda: linear().to(int), "to: expected a floating-point type, such as np.float64, got"),
    (lambda: nn.functional.sigmoid(np.array([1j])), "z must hold real numbers, got dtype complex"),
    (lambda: nn.functional.relu(np.array([None])), "z must hold real numbers, got dtype object"),
    (lambda: nn.Value(2) ** nn.Value(3), r"\(b \* a.log\(\)\).exp\(\)"),
]


@pytest.mark.parametrize(("make", "message"), WRONG_OBJECTS)
def test_wrong_objects(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


def test_what_has_no_linear_layer_cannot_be_adapted() -> None:
    bare, relu = linear(), nn.Sequential(nn.ReLU())
    for model in (bare, relu):
        with pytest.raises(ValueError, match=r"no Linear layer to adapt; .*LoRALinear"):
            nn.add_lora(model, 1)
        with pytest.raises(ValueError, match=r"no Linear layer to quantise; .*QuantizedLinear"):
            nn.quantize_model(model)
    model = nn.Sequential(linear())
    with pytest.raises(ValueError, match="no Linear layer to adapt"):
        nn.add_lora(model, 1, where=lambda _name: False)
    assert all(p.requires_grad for p in [*model.parameters(), *bare.parameters()])


@pytest.mark.parametrize("weight", [np.ones(3), np.ones((0, 3)), np.full((2, 2), np.nan)])
def test_only_finite_matrices_are_quantised(weight: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"a matrix .* of finite numbers"):
        nn.quantize_int8(weight)


@pytest.mark.parametrize("shape", [(2, 5), ()])
def test_swiglu_needs_pairs(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"SwiGLU: x must have shape \(\.\.\., 2·F\).* got"):
        nn.SwiGLU()(np.ones(shape))


# -- gradients ---------------------------------------------------------------------------------

# How a layer is made, and the shape of a batch for it.
TAKERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "Linear": (linear, (2, 5, 4)),
    "Sigmoid": (nn.Sigmoid, (2, 4)),
    "Tanh": (nn.Tanh, (2, 4)),
    "ReLU": (nn.ReLU, (2, 4)),
    "LeakyReLU": (nn.LeakyReLU, (2, 4)),
    "SiLU": (nn.SiLU, (2, 4)),
    "GELU": (nn.GELU, (2, 4)),
    "Softmax": (nn.Softmax, (2, 4)),
    "LogSoftmax": (nn.LogSoftmax, (2, 4)),
    "Conv2d": (lambda: nn.Conv2d(2, 3, 2), (3, 2, 4, 5)),
    "MaxPool2d": (lambda: nn.MaxPool2d(2), (3, 2, 4, 7)),
    "AvgPool2d": (lambda: nn.AvgPool2d((2, 3), 1), (3, 2, 4, 7)),
    "RNN": (lambda: nn.RNN(4, 3, return_state=False), (2, 5, 4)),
    "LSTM": (lambda: nn.LSTM(4, 3, return_state=False), (2, 5, 4)),
    "GRU": (lambda: nn.GRU(4, 3, return_state=False, batch_first=False), (2, 5, 4)),
    "LastStep": (nn.LastStep, (2, 5, 4)),
    "SwiGLU": (nn.SwiGLU, (2, 6)),
    "LayerNorm": (lambda: nn.LayerNorm(4), (2, 3, 4)),
    "RMSNorm": (lambda: nn.RMSNorm(4), (2, 3, 4)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4), (3, 4)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(2), (3, 2, 4, 5)),
    "Dropout": (nn.Dropout, (2, 4)),
    "Flatten": (nn.Flatten, (2, 3, 4)),
    "LearnedPositions": (lambda: nn.LearnedPositions(5, 4), (2, 3, 4)),
    "SinusoidalPositions": (lambda: nn.SinusoidalPositions(5, 4), (2, 3, 4)),
    "MultiHeadSelfAttention": (lambda: nn.MultiHeadSelfAttention(4, 2), (2, 3, 4)),
    "TiedHead": (lambda: nn.TiedHead(nn.Parameter(np.ones((7, 4), np.float32))), (2, 3, 4)),
    "QuantizedLinear": (lambda: nn.QuantizedLinear(linear()), (2, 4)),
    "Embedding": (lambda: nn.Embedding(9, 4), (2, 3)),
}


def passed(name: str) -> tuple[nn.Module, np.ndarray]:
    """A layer after a forward pass, and its output."""
    make, shape = TAKERS[name]
    layer, rng = make(), np.random.default_rng(0)
    if name == "Embedding":
        return layer, layer(rng.integers(0, 9, shape))
    return layer, layer(rng.normal(size=shape).astype(np.float32))


@pytest.mark.parametrize("name", TAKERS)
def test_a_gradient_has_the_shape_of_the_output(name: str) -> None:
    layer, y = passed(name)
    layer.backward(np.ones_like(y))
    for wrong in (y.T, y[..., :-1], y[None], y.reshape(-1)):
        if wrong.shape == y.shape or (name == "QuantizedLinear" and wrong.shape[-1] == 3):
            continue
        told = rf"{name}: backward takes .* of shape \(.* got \(.*another batch"
        with pytest.raises(ValueError, match=told):
            layer.backward(wrong)


@pytest.mark.parametrize("name", [n for n in TAKERS if n != "QuantizedLinear"])
def test_a_gradient_belongs_to_the_last_batch(name: str) -> None:
    layer, y = passed(name)
    with pytest.raises(ValueError, match="another batch went through since"):
        layer.backward(np.concatenate([y, y]))


@pytest.mark.parametrize("wrong", [0.5, np.float32(1), None, [1.0], "a"])
@pytest.mark.parametrize("name", TAKERS)
def test_a_gradient_is_an_array_and_not_the_loss(name: str, wrong: Any) -> None:
    layer, _ = passed(name)
    if wrong is None and isinstance(layer, Recurrent):
        return  # only the final state was used
    with pytest.raises(TypeError, match=r"call model\.backward\(loss_fn\.backward\(\)\)"):
        layer.backward(wrong)


# -- files -------------------------------------------------------------------------------------


def test_files_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    with pytest.raises(OSError, match="below could not be written, and is as it was before: "):
        write_atomically(file / "below", b"new")
    with pytest.raises(IsADirectoryError, match=f"{tmp_path.name} could not be written.*directory"):
        write_atomically(tmp_path, b"new")
    assert file.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert not list(tmp_path.parent.glob(".*.tmp"))


@pytest.mark.parametrize("number", [28, 13, 30])  # disk full, not allowed, read-only
def test_whoever_cannot_write_learns_why(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    nn.interop.save_safetensors(path, linear())
    old = path.read_bytes()

    def refuse(*_: Any) -> None:
        raise OSError(number, "the reason", "some temporary name")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match=r"model.safetensors could not be .*: the reason") as caught:
        nn.interop.save_safetensors(path, linear())
    assert caught.value.errno == number
    assert "temporary" not in str(caught.value)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def stored(header: bytes, numbers: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header + numbers


def test_numbers_that_numpy_lacks_are_told(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    header = b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    path.write_bytes(stored(header, bytes(4)))
    with pytest.raises(ValueError, match=r"type 'BF16', which NumPy does not have; .*\.float\(\)"):
        nn.interop.load_safetensors(path)


class Tensor:
    """What a tensor of PyTorch looks like from here."""

    def __init__(self, values: np.ndarray, dtype: str) -> None:
        self.values, self.dtype = values, dtype

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return self

    def float(self) -> Tensor:
        return Tensor(self.values, "torch.float32")

    def numpy(self) -> np.ndarray:
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.values


def test_tensors_in_bfloat16_are_widened() -> None:
    values = np.ones((3, 4), np.float32)
    state = {
        "weight": Tensor(values, "torch.bfloat16"),
        "bias": Tensor(values[:, 0], "torch.float32"),
    }
    layer = nn.interop.from_torch(linear(), state)
    np.testing.assert_array_equal(layer.state_dict()["weight"], values.T)


def test_only_named_numbers_are_saved(tmp_path: Path) -> None:
    path, layer = tmp_path / "x", linear()
    for wrong in (None, [1.0], path):
        with pytest.raises(TypeError, match="expected a path, then a model or a dict of arrays"):
            nn.interop.save_safetensors(path, wrong)  # type: ignore[arg-type]
    for value in ("text", object(), 1j):
        with pytest.raises(TypeError, match="save_safetensors: a must hold numbers, got dtype"):
            nn.interop.save_safetensors(path, {"a": value})
    with pytest.raises(ValueError, match="rename: gave the name 'x' twice"):
        nn.interop.to_torch(layer, lambda _name: "x")
    assert not path.exists()


# -- inside a model ----------------------------------------------------------------------------


MISFITS: list[tuple[nn.Sequential, tuple[int, ...], type[Exception], str, int]] = [
    (
        nn.Sequential(nn.Linear(4, 5), nn.Linear(4, 3)),
        (2, 4),
        ValueError,
        r"Linear: x must have shape \(\.\.\., 4\), got \(2, 5\)",
        1,
    ),
    (
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Linear(8, 2)),
        (3, 1, 4, 4),
        ValueError,
        r"Linear: .* got \(3, 2, 2, 2\)",
        2,
    ),
    (
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(3, 2, 2)),
        (3, 1, 8, 8),
        ValueError,
        r"Conv2d: x must have shape \(N, 3, H, W\)",
        1,
    ),
    (
        nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(4)),
        (3, 4),
        ValueError,
        "4 features on axis 1",
        1,
    ),
    (
        nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(4)),
        (3, 4),
        ValueError,
        r"LayerNorm: .* got \(3, 8\)",
        1,
    ),
    (
        nn.Sequential(nn.Linear(4, 5), nn.LSTM(5, 3, return_state=False)),
        (3, 4),
        ValueError,
        "LSTM: x must have three axes",
        1,
    ),
    (
        nn.Sequential(nn.Linear(4, 4), nn.MultiHeadSelfAttention(4, 2)),
        (3, 4),
        ValueError,
        r"MultiHeadSelfAttention: x must have shape \(B, T, 4\)",
        1,
    ),
    (
        nn.Sequential(nn.Linear(4, 4), nn.Embedding(3, 2)),
        (3, 4),
        TypeError,
        "Embedding: tokens must be integers",
        1,
    ),
    (
        nn.Sequential(nn.LSTM(4, 5), nn.LastStep()),
        (2, 3, 4),
        TypeError,
        "LastStep: x must be one array, got 2 values; .*return_state=False",
        1,
    ),
    (
        nn.Sequential(nn.GRU(4, 5), nn.Linear(5, 1)),
        (2, 3, 4),
        TypeError,
        "Linear: x must be one array, got 2 values",
        1,
    ),
]


@pytest.mark.parametrize(("model", "shape", "error", "message", "place"), MISFITS)
def test_a_layer_that_does_not_fit_says_what_it_wants(
    model: nn.Sequential, shape: tuple[int, ...], error: type[Exception], message: str, place: int
) -> None:
    with pytest.raises(error, match=message) as caught:
        model(np.ones(shape, np.float32))
    (note,) = caught.value.__notes__
    assert note.startswith(f"It is layer {place} of the Sequential: {type(model[place]).__name__}(")
    assert caught.value.__suppress_context__  # one error, not two


def test_an_error_of_a_learners_own_layer_is_kept() -> None:
    class Own(nn.Module):
        def forward(self, x: np.ndarray) -> np.ndarray:
            return x.misspelt  # type: ignore[attr-defined,no-any-return]

    with pytest.raises(AttributeError, match="misspelt") as caught:
        nn.Sequential(nn.ReLU(), Own())(np.ones((2, 3)))
    assert caught.value.__notes__ == ["The layer was Own(), its input had shape (2, 3)."]


def test_seeds_draw_first_weights() -> None:
    for make in (lambda r: nn.Conv2d(1, 2, 2, rng=r), lambda r: nn.LSTM(2, 3, rng=r)):
        one, two = make(3), make(np.random.default_rng(3))
        for p, q in zip(one.parameters(), two.parameters(), strict=True):
            np.testing.assert_array_equal(p.data, q.data)


def test_classes_without_weight_cannot_be_averaged() -> None:
    loss_fn = nn.CrossEntropyLoss(weight=[0, 0, 1.0])
    with pytest.raises(ValueError, match="all labels in this batch belong"):
        loss_fn(np.ones((2, 3)), np.array([0, 1]))
    assert loss_fn(np.zeros((2, 3)), np.array([0, 2])) == pytest.approx(np.log(3))
    total = nn.CrossEntropyLoss(weight=[0, 0, 1.0], reduction="sum")
    assert total(np.ones((2, 3)), np.array([0, 1])) == 0


@pytest.mark.parametrize("state", [0.0, np.ones((2, 3)), (np.ones((1, 2, 3)),)])
def test_states_of_another_kind_are_told(state: Any) -> None:
    x = np.ones((2, 5, 4), np.float32)
    for layer in (nn.RNN(4, 3), nn.LSTM(4, 3)):
        with pytest.raises(ValueError, match=r"state must be .* array\(s\) .*\(1, 2, 3\)"):
            layer(x, state)


@pytest.mark.parametrize("kind", [complex, object, str])
def test_only_numbers_are_loaded(kind: type) -> None:
    layer = linear()
    state = {name: value.astype(kind) for name, value in layer.state_dict().items()}
    with pytest.raises(ValueError, match=r"state does not fit Linear: weight holds .*, no numbers"):
        layer.load_state_dict(state)
    layer.load_state_dict({name: value.astype(int) for name, value in layer.state_dict().items()})
