"""Functions of each value alone."""

from fastconv._checks import activations
from fastconv._checks.types import Activation, Layout
from fastconv._graph.operations.operation import Doubles, Operation


class Clip(Operation):
    """min(max(x, low), high), which keeps a NaN: ReLU is Clip(0, inf), ReLU6 Clip(0, 6)."""

    activation: Activation = None

    def __init__(self, low: float, high: float) -> None:
        self.activation = activations.named(low, high)

    @property
    def kind(self) -> str:
        return self.activation if isinstance(self.activation, str) else "clip"

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        return activations.clip(arrays[0], self.activation)
