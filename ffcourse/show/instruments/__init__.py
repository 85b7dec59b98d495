"""Ready live figures, one function each; all of them run on the learner's own functions too."""

from ffcourse.show.instruments.activation import activation
from ffcourse.show.instruments.activations_compared import activations_compared
from ffcourse.show.instruments.attention_map import attention_map
from ffcourse.show.instruments.computation_graph import computation_graph
from ffcourse.show.instruments.convolution_steps import convolution_steps
from ffcourse.show.instruments.decision_boundary import decision_boundary
from ffcourse.show.instruments.finetuning_board import finetuning_board
from ffcourse.show.instruments.gradient_flow import gradient_flow
from ffcourse.show.instruments.loss_surface import loss_surface
from ffcourse.show.instruments.network import network
from ffcourse.show.instruments.neuron_line import neuron_line
from ffcourse.show.instruments.overfitting_board import overfitting_board
from ffcourse.show.instruments.recorder import Recorder
from ffcourse.show.instruments.training_monitor import training_monitor

__all__ = [
    "Recorder",
    "activation",
    "activations_compared",
    "attention_map",
    "computation_graph",
    "convolution_steps",
    "decision_boundary",
    "finetuning_board",
    "gradient_flow",
    "loss_surface",
    "network",
    "neuron_line",
    "overfitting_board",
    "training_monitor",
]
