"""Layers, activations and losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.torch_reference.registry import case, run_module, tensor

ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "relu": ("ReLU", {}),
    "leaky_relu": ("LeakyReLU", {"negative_slope": 0.1}),
    "gelu": ("GELU", {}),
    "gelu_tanh": ("GELU", {"approximate": "tanh"}),
    "silu": ("SiLU", {}),
    "softmax": ("Softmax", {"dim": -1}),
    "softmax_dim1": ("Softmax", {"dim": 1}),
    "log_softmax": ("LogSoftmax", {"dim": -1}),
    "log_softmax_dim1": ("LogSoftmax", {"dim": 1}),
}

# name: (class, arguments, keywords, input shape)
LAYERS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = {
    "linear": ("Linear", (5, 3), {}, (7, 5)),
    "linear_3d": ("Linear", (5, 3), {}, (2, 3, 5)),
    "linear_no_bias": ("Linear", (5, 3), {"bias": False}, (1, 5)),
    "layer_norm": ("LayerNorm", (6,), {}, (4, 3, 6)),
    "layer_norm_2": ("LayerNorm", ((3, 6),), {"eps": 0.1}, (4, 3, 6)),
    "layer_norm_no_bias": ("LayerNorm", (6,), {"bias": False}, (1, 6)),
    "layer_norm_plain": ("LayerNorm", (6,), {"elementwise_affine": False}, (4, 6)),
    "rms_norm": ("RMSNorm", (6,), {}, (4, 3, 6)),
    "rms_norm_2": ("RMSNorm", ((3, 6),), {"eps": 0.1}, (4, 3, 6)),
    "rms_norm_plain": ("RMSNorm", (6,), {"elementwise_affine": False}, (4, 6)),
    "batch_norm": ("BatchNorm1d", (5,), {}, (6, 5)),
    "batch_norm_3d": ("BatchNorm1d", (5,), {"momentum": 0.3, "eps": 0.01}, (2, 5, 3)),
    "batch_norm_average": ("BatchNorm1d", (5,), {"momentum": None}, (6, 5)),
    "batch_norm_plain": ("BatchNorm1d", (5,), {"affine": False}, (6, 5)),
    "batch_norm_2d": ("BatchNorm2d", (3,), {}, (2, 3, 4, 2)),
}


def _activation(name: str) -> None:
    kind, options = ACTIVATIONS[name]

    @case(name)
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        values = rng.normal(size=(4, 5, 3)) * np.array([0.1, 1, 10])  # small, usual, saturated
        values.flat[:4] = [30, -30, 100, -100]
        x = torch.from_numpy(values.astype(dtype)).requires_grad_()
        return run_module(torch, rng, getattr(torch.nn, kind)(**options), x)


def _layer(name: str) -> None:
    kind, args, options, shape = LAYERS[name]

    @case(name)
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        module = getattr(torch.nn, kind)(*args, **options).to(getattr(torch, dtype))
        x = torch.from_numpy((rng.normal(size=shape) * 2 + 1).astype(dtype)).requires_grad_()
        return run_module(torch, rng, module, x)


for _name in ACTIVATIONS:
    _activation(_name)
for _name in LAYERS:
    _layer(_name)


@case("batch_norm_eval")
def batch_norm_eval(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    """Running statistics from three batches, then used."""
    module = torch.nn.BatchNorm1d(5).to(getattr(torch, dtype))
    for _ in range(3):
        module(tensor(torch, rng, 6, 5, dtype=dtype) * 3 + 2)
    return run_module(torch, rng, module.eval(), tensor(torch, rng, 4, 5, dtype=dtype))


@case("mlp")
def mlp(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    """Three layers in a row."""
    layers = [
        torch.nn.Linear(6, 8),
        torch.nn.GELU(),
        torch.nn.LayerNorm(8),
        torch.nn.Linear(8, 3),
    ]
    module = torch.nn.Sequential(*layers).to(getattr(torch, dtype))
    return run_module(torch, rng, module, tensor(torch, rng, 5, 6, dtype=dtype))


# -- losses -----------------------------------------------------------------------------------

# name: (class, keywords, shape of the logits, kind of target)
LOSSES: dict[str, tuple[str, dict[str, Any], tuple[int, ...], str]] = {
    "mse": ("MSELoss", {}, (4, 3), "values"),
    "mse_sum": ("MSELoss", {"reduction": "sum"}, (2, 3, 2), "values"),
    "bce": ("BCEWithLogitsLoss", {}, (6, 2), "bits"),
    "bce_soft_sum": ("BCEWithLogitsLoss", {"reduction": "sum"}, (6,), "shares"),
    "bce_pos_weight": ("BCEWithLogitsLoss", {"pos_weight": 3.0}, (6, 1), "bits"),
    "ce": ("CrossEntropyLoss", {}, (6, 4), "labels"),
    "ce_one": ("CrossEntropyLoss", {}, (1, 4), "labels"),
    "ce_sum": ("CrossEntropyLoss", {"reduction": "sum"}, (6, 4), "labels"),
    "ce_weight": ("CrossEntropyLoss", {"weight": (0.5, 1.0, 2.0, 4.0)}, (6, 4), "labels"),
    "ce_smooth": ("CrossEntropyLoss", {"label_smoothing": 0.2}, (6, 4), "labels"),
    "ce_all": (
        "CrossEntropyLoss",
        {"weight": (0.5, 1.0, 2.0, 4.0), "label_smoothing": 0.1},
        (6, 4),
        "labels",
    ),
    "ce_all_sum": (
        "CrossEntropyLoss",
        {"weight": (0.5, 1.0, 2.0, 4.0), "label_smoothing": 0.1, "reduction": "sum"},
        (6, 4),
        "labels",
    ),
    "ce_ignore": ("CrossEntropyLoss", {}, (8, 4), "padded"),
    "ce_ignore_all": (
        "CrossEntropyLoss",
        {"weight": (0.5, 1.0, 2.0, 4.0), "label_smoothing": 0.1},
        (8, 4),
        "padded",
    ),
}


def _target(rng: np.random.Generator, kind: str, shape: tuple[int, ...], dtype: str) -> Any:
    if kind == "values":
        return rng.normal(size=shape).astype(dtype)
    if kind == "bits":
        return rng.integers(0, 2, shape).astype(dtype)
    if kind == "shares":
        return rng.uniform(size=shape).astype(dtype)
    labels = rng.integers(0, shape[-1], shape[:-1])
    if kind == "padded":
        labels[[1, 4]] = -100
    return labels


def _loss(name: str) -> None:
    kind, options, shape, target_kind = LOSSES[name]

    @case(name)
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        values = rng.normal(size=shape) * 3
        values.flat[0] = 60  # confident
        logits = torch.from_numpy(values.astype(dtype)).requires_grad_()
        target = _target(rng, target_kind, shape, dtype)
        given = {
            k: torch.tensor(v, dtype=getattr(torch, dtype)) if k.endswith("weight") else v
            for k, v in options.items()
        }
        loss = getattr(torch.nn, kind)(**given)(logits, torch.from_numpy(target))
        loss.backward()
        return {"logits": logits, "target": target, "loss": loss, "grad": logits.grad}


for _name in LOSSES:
    _loss(_name)


@case("distillation")
def distillation(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    """Temperature 3, 70 % teacher."""
    student = tensor(torch, rng, 6, 4, dtype=dtype)
    teacher = tensor(torch, rng, 6, 4, dtype=dtype, grad=False) * 2
    target = rng.integers(0, 4, 6)
    f = torch.nn.functional
    soft = f.kl_div(f.log_softmax(student / 3, 1), f.softmax(teacher / 3, 1), reduction="batchmean")
    hard = f.cross_entropy(student, torch.from_numpy(target))
    loss = 0.7 * 9 * soft + 0.3 * hard
    loss.backward()
    return {
        "logits": student,
        "teacher": teacher,
        "target": target,
        "loss": loss,
        "grad": student.grad,
    }
