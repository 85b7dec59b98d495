"""Training: optimizers, schedules, the loop, checkpoints and the gradient check."""

from ffcourse.train.adagrad import AdaGrad
from ffcourse.train.adam import Adam, AdamW
from ffcourse.train.callbacks import Callback, EarlyStopping
from ffcourse.train.checkpoint import load_checkpoint, save_checkpoint
from ffcourse.train.clip import clip_grad_norm, clip_grad_value
from ffcourse.train.gradcheck import GradcheckReport, GradcheckRow, gradcheck
from ffcourse.train.history import History
from ffcourse.train.lr_finder import LRRange, find_lr
from ffcourse.train.metrics import accuracy
from ffcourse.train.nonfinite import NonFiniteError
from ffcourse.train.one_cycle import OneCycleLR
from ffcourse.train.optimizer import Optimizer
from ffcourse.train.pretrained import load_pretrained
from ffcourse.train.rmsprop import RMSProp
from ffcourse.train.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    Schedule,
    SequentialLR,
    StepLR,
)
from ffcourse.train.sgd import SGD
from ffcourse.train.trainer import Trainer

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Callback",
    "CosineAnnealingLR",
    "EarlyStopping",
    "ExponentialLR",
    "GradcheckReport",
    "GradcheckRow",
    "History",
    "LRRange",
    "LinearLR",
    "NonFiniteError",
    "OneCycleLR",
    "Optimizer",
    "RMSProp",
    "Schedule",
    "SequentialLR",
    "StepLR",
    "Trainer",
    "accuracy",
    "clip_grad_norm",
    "clip_grad_value",
    "find_lr",
    "gradcheck",
    "load_checkpoint",
    "load_pretrained",
    "save_checkpoint",
]
