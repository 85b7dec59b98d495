"""What a network is made of, from scratch in NumPy: layers, activations, losses.

The names and call shapes are PyTorch's. What differs: ``model.backward(loss_fn.backward())`` is
explicit, random choices take an ``rng``, and weights are ``(in, out)``, so that a layer reads
``x @ W + b``.
"""

from ffcourse.nn import functional, init, interop
from ffcourse.nn.activations import (
    GELU,
    Identity,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Step,
    Tanh,
)
from ffcourse.nn.attention import MultiHeadSelfAttention
from ffcourse.nn.autograd import Value
from ffcourse.nn.batchnorm import BatchNorm1d, BatchNorm2d
from ffcourse.nn.containers import Residual, Sequential, replace_modules
from ffcourse.nn.conv import Conv2d
from ffcourse.nn.cross_entropy import CrossEntropyLoss
from ffcourse.nn.distill import DistillationLoss
from ffcourse.nn.dropout import Dropout
from ffcourse.nn.embedding import Embedding, LearnedPositions, SinusoidalPositions
from ffcourse.nn.feedforward import FeedForward, SwiGLU
from ffcourse.nn.flatten import Flatten
from ffcourse.nn.gpt import GPT, TiedHead
from ffcourse.nn.gru import GRU
from ffcourse.nn.linear import Linear
from ffcourse.nn.lora import LoRALinear, add_lora
from ffcourse.nn.losses import BCEWithLogitsLoss, Loss, MSELoss
from ffcourse.nn.lstm import LSTM
from ffcourse.nn.module import Array, Module, Parameter
from ffcourse.nn.norm import LayerNorm, RMSNorm
from ffcourse.nn.penalties import L1Penalty, L2Penalty
from ffcourse.nn.pool import AvgPool2d, MaxPool2d
from ffcourse.nn.prune import PrunedLinear, magnitude_masks, prune_model
from ffcourse.nn.quantize import QuantizedLinear, quantize_int8, quantize_model
from ffcourse.nn.recurrent import RNN, LastStep
from ffcourse.nn.summary import summarize, watch
from ffcourse.nn.transformer import TransformerBlock

__all__ = [
    "GELU",
    "GPT",
    "GRU",
    "LSTM",
    "RNN",
    "Array",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv2d",
    "CrossEntropyLoss",
    "DistillationLoss",
    "Dropout",
    "Embedding",
    "FeedForward",
    "Flatten",
    "Identity",
    "L1Penalty",
    "L2Penalty",
    "LastStep",
    "LayerNorm",
    "LeakyReLU",
    "LearnedPositions",
    "Linear",
    "LoRALinear",
    "LogSoftmax",
    "Loss",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "MultiHeadSelfAttention",
    "Parameter",
    "PrunedLinear",
    "QuantizedLinear",
    "RMSNorm",
    "ReLU",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SinusoidalPositions",
    "Softmax",
    "Step",
    "SwiGLU",
    "Tanh",
    "TiedHead",
    "TransformerBlock",
    "Value",
    "add_lora",
    "functional",
    "init",
    "interop",
    "magnitude_masks",
    "prune_model",
    "quantize_int8",
    "quantize_model",
    "replace_modules",
    "summarize",
    "watch",
]
