"""Ready live figures, one function each; all of them run on the learner's own functions too."""

from ffcourse.show.instruments.activation import activation
from ffcourse.show.instruments.neuron_line import neuron_line

__all__ = ["activation", "neuron_line"]
