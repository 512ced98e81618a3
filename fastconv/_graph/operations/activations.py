"""Functions of each value alone."""

import numpy as np

from fastconv._checks.types import Activation, Layout
from fastconv._graph.operations.operation import Doubles, Operation


class Relu(Operation):
    """max(x, 0), which keeps a NaN."""

    kind = "relu"
    activation: Activation = "relu"

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        return np.maximum(arrays[0], 0)
