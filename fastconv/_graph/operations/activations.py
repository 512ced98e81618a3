"""Functions of each value alone."""

import numpy as np

from fastconv._checks import activations
from fastconv._checks.types import Activation
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.operation import Doubles


class Clip(Elementwise):
    """min(max(x, low), high), which keeps a NaN: ReLU is Clip(0, inf), ReLU6 Clip(0, 6)."""

    def __init__(self, low: float, high: float) -> None:
        self.activation = activations.named(low, high)

    @property
    def kind(self) -> str:
        return self.activation if isinstance(self.activation, str) else "clip"

    def __str__(self) -> str:
        return f"{self.kind}{self.activation}" if self.kind == "clip" else self.kind


class LeakyRelu(Elementwise):
    """x, or slope · x where that is below 0."""

    function = "leaky_relu"

    def __init__(self, slope: float) -> None:
        self.numbers = (slope,)

    def of(self, *arrays: Doubles) -> Doubles:
        (x,), (slope,) = arrays, self.numbers
        return np.where(x < 0, x * slope, x)


class PRelu(Elementwise):
    """x, or slope[c] · x where that is below 0."""

    function = "prelu"

    def __init__(self, slope: np.ndarray) -> None:
        self.vectors = (slope.astype(float),)

    def of(self, *arrays: Doubles) -> Doubles:
        x, slope = arrays
        return np.where(x < 0, x * slope, x)


class Sigmoid(Elementwise):
    """1 / (1 + exp(−x))."""

    function = "sigmoid"

    def of(self, *arrays: Doubles) -> Doubles:
        (x,) = arrays
        power = np.exp(-np.abs(x))  # which cannot overflow
        y: Doubles = np.where(x < 0, power, 1) / (1 + power)
        return y


class Swish(Sigmoid):
    """x · sigmoid(x)."""

    function = "swish"

    def of(self, *arrays: Doubles) -> Doubles:
        return arrays[0] * super().of(*arrays)


class Tanh(Elementwise):
    """The hyperbolic tangent."""

    function = "tanh"

    def of(self, *arrays: Doubles) -> Doubles:
        return np.tanh(arrays[0])


class HardSigmoid(Elementwise):
    """min(max(slope · x + offset, 0), 1)."""

    function = "hard_sigmoid"
    activation: Activation = (0.0, 1.0)

    def __init__(self, slope: float, offset: float) -> None:
        self.numbers = slope, offset

    def of(self, *arrays: Doubles) -> Doubles:
        (x,), (slope, offset) = arrays, self.numbers
        return slope * x + offset


class HardSwish(Elementwise):
    """x · min(max(x + 3, 0), 6) / 6."""

    function = "hard_swish"

    def of(self, *arrays: Doubles) -> Doubles:
        (x,) = arrays
        return x * (np.clip(x + 3, 0, 6) / 6)
