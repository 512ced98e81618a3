"""Functions of each value: those of one map, and those of two."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv._checks import activations
from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Activation, Layout, Shape
from fastconv._graph import in_numpy
from fastconv._graph.operations.operation import NHWC, Doubles, Operation


def _leaky(x: Doubles, slope: Any) -> Doubles:
    return np.where(x < 0, x * slope, x)


def _sigmoid(x: Doubles) -> Doubles:
    power = np.exp(-np.abs(x))  # which cannot overflow
    y: Doubles = np.where(x < 0, power, 1) / (1 + power)
    return y


def _softplus(x: Doubles) -> Doubles:
    y: Doubles = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return y


def _erf(x: Doubles) -> Doubles:
    from scipy import special  # as in _gelu

    y: Doubles = special.erf(x)
    return y


def _gelu(x: Doubles) -> Doubles:
    """x · Φ(x), where Φ(−a) = exp(−a² / 2) · erfcx(a / √2) / 2, and a² is that of a's upper bits and the rest: SciPy's
    ndtr is off by 1000 eps at −37, its erfcx by 4 near 0.
    """
    from scipy import special  # which most programs do without

    a = np.minimum(np.abs(x), 40)
    high = a.astype(np.float32).astype(a.dtype)
    power = np.exp(-high * high / 2) * np.exp((high - a) * (high + a) / 2)
    below = np.where(a < 1, special.ndtr(-a), power * special.erfcx(a / np.sqrt(2)) / 2)
    y: Doubles = x * np.where(x < 0, below, 1 - below)
    return y


def _gelu_tanh(x: Doubles) -> Doubles:
    """x · (1 + tanh(z)) / 2, which is x · sigmoid(2z)."""
    return x * _sigmoid(2 * np.sqrt(2 / np.pi) * x * (1 + 0.044715 * x * x))


FUNCTIONS: dict[str, Callable[..., Any]] = {  # f by its name among the kernels: of the inputs, vectors and numbers
    "copy": lambda x: x,
    "fill": lambda x, value: np.broadcast_to(value, x.shape),
    "add": np.add,
    "mul": np.multiply,
    "sub": np.subtract,
    "rsub": lambda x, y: y - x,
    "div": np.divide,
    "rdiv": lambda x, y: y / x,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "erf": _erf,
    "scale": lambda x, scale, shift: x * scale + shift,
    "leaky_relu": _leaky,
    "prelu": _leaky,
    "sigmoid": _sigmoid,
    "swish": lambda x: x * _sigmoid(x),
    "tanh": np.tanh,
    "elu": lambda x, alpha, gain: np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), gain * x),
    "softplus": _softplus,
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "celu": lambda x, alpha: np.where(x < 0, alpha * np.expm1(np.minimum(x / alpha, 0)), x),
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "hard_sigmoid": lambda x, slope, offset: slope * x + offset,  # clipped to 0 and 1 by its activation
    "hard_swish": lambda x: x * (np.clip(x + 3, 0, 6) / 6),
}


class Elementwise(Operation):
    """activation(f(x)) or activation(f(x, y)) of each value; `function` names f.

    `numbers` are parameters of f, `vectors` those of a value for each channel. The kernels clip every result, so a clip
    that follows may be the activation of any of these operations.
    """

    activation: Activation = None

    def __init__(
        self,
        function: str = "copy",
        *,
        activation: Activation = None,
        numbers: tuple[float, ...] = (),
        vectors: tuple[Doubles, ...] = (),
    ) -> None:
        self.function, self.activation, self.numbers, self.vectors = function, activation, numbers, vectors

    @property
    def kind(self) -> str:
        return self.function

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(map(repr, self.numbers))})" if self.numbers else self.kind

    @property
    def params(self) -> int:
        return sum(vector.size for vector in self.vectors)

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        taken = self.vectors[0].size if self.vectors else next((n for n in known if n is not None), None)
        return [taken] * len(known), taken

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        shape = image_shape(shapes[0], layout)
        for vector in self.vectors:
            if vector.size != shape[3]:
                raise ValueError(f"{self.kind} takes {vector.size} channels, got shape {shapes[0]} in layout {layout}")
        return shape

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        vectors = [in_numpy.per_channel(vector, layout) for vector in self.vectors]
        with np.errstate(all="ignore"):  # Inf and NaN are answers here
            return activations.clip(FUNCTIONS[self.function](*arrays, *vectors, *self.numbers), self.activation)


class Clip(Elementwise):
    """min(max(x, low), high), which keeps a NaN: ReLU is Clip(0, inf), ReLU6 Clip(0, 6)."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__(activation=activations.named(low, high))

    @property
    def kind(self) -> str:
        return self.activation if isinstance(self.activation, str) else "clip"

    def __str__(self) -> str:
        return f"{self.kind}{self.activation}" if self.kind == "clip" else self.kind


class Add(Elementwise):
    """activation(x + y) of maps of one shape."""

    def __init__(self) -> None:
        super().__init__("add")

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        first, second = (image_shape(shape, layout) for shape in shapes)
        if first != second:
            raise ValueError(f"its inputs must have the same shape, got {shapes[0]} and {shapes[1]}")
        return first


def broadcast_shape(x: NHWC, y: NHWC) -> NHWC | None:
    """The shape of a function of two maps: theirs, or that of one for all of which the other has a pixel or a channel.

    None where these are no shapes of such maps.
    """
    for whole, other in (x, y), (y, x):
        if other[0] == whole[0] and other[1:3] in (whole[1:3], (1, 1)) and other[3] in (whole[3], 1):
            return whole
    return None


class Binary(Elementwise):
    """activation(f(x, y)) of maps of one shape, or of a map and one that has a pixel, or a channel, for all of it."""

    keeps_channels = False  # those of either

    def __init__(self, function: str) -> None:
        super().__init__(function)

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        whole = broadcast_shape(*(image_shape(shape, layout) for shape in shapes))
        if whole is None:
            raise ValueError(
                f"its inputs must have one shape, or one of them height and width 1, or one channel, got {shapes[0]} "
                f"and {shapes[1]}"
            )
        return whole

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        """What has one channel fits any other, so that only known ones of more must be equal."""
        wide = next((n for n in known if n not in (None, 1)), None)
        wanted = [None if n in (None, 1) else wide for n in known]
        return wanted, None if wide is None and None in known else wide or 1
