"""From one neuron to the feedforward layer of a large language model, from scratch in NumPy.

Importing this package needs nothing but the standard library, so that
``python3 -m ffcourse lab`` works on a machine that has only Python and a clone.
Its parts are imported where they are used: ``from ffcourse import nn, train, data``.
"""

__version__ = "0.1.0"
