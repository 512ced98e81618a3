"""Nodes of ONNX, and functions of each value in its words."""

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple

from fastconv.onnx._values import Tensor


class Written(NamedTuple):
    """A node of ONNX, among whose inputs are others. `results` are those of its aten operator that it gives, the
    first ones; where there is a `shape`, each is given it.
    """

    kind: str
    inputs: Sequence[Any]
    attributes: dict[str, Any]
    results: int = 1
    shape: tuple[int, ...] | None = None


def scaled_sum(kind: str) -> Callable[..., Written]:
    def write(x: Any, y: Any, *, alpha: float = 1) -> Written:
        if alpha != 1:
            y = Written("Mul", (y, alpha), {}) if isinstance(y, Tensor | Written) else y * alpha
        return Written(kind, (x, y), {})

    return write


def sum_with_product(x: Any, y: Any, z: Any, *, value: float = 1) -> Written:
    return scaled_sum("Add")(x, Written("Mul", (y, z), {}), alpha=value)


def between(x: Any, y: Any, weight: float) -> Written:
    """x + weight · (y − x), from the nearer end."""
    difference = Written("Sub", (y, x), {})
    if abs(weight) < 0.5:
        return scaled_sum("Add")(x, difference, alpha=weight)
    return scaled_sum("Sub")(y, difference, alpha=1 - weight)


def function(kind: str, *names: str, **fixed: Any) -> Callable[..., Written]:
    """A function of a map whose further arguments are attributes of these names."""

    def write(x: Any, *args: Any, **kwargs: Any) -> Written:
        return Written(kind, (x,), fixed | dict(zip(names, args, strict=False)) | kwargs)

    return write


def two_maps(kind: str) -> Callable[..., Written]:
    def write(x: Any, y: Any) -> Written:
        return Written(kind, (x, y), {})

    return write


def power(x: Any, exponent: float) -> Written:
    """PyTorch takes a root where ONNX has a power: that of −∞ is NaN."""
    return Written("Sqrt", (x,), {}) if exponent == 0.5 else Written("Pow", (x, exponent), {})


def clip(x: Any, low: float | None = None, high: float | None = None) -> Written:
    """With numbers; bounds that are tensors are no numbers of ONNX's attributes."""
    return Written("Clip", (x,), {"min": -inf if low is None else low, "max": inf if high is None else high})


def hardtanh(x: Any, low: float = -1.0, high: float = 1.0) -> Written:
    return clip(x, low, high)


def clip_above(x: Any, high: float) -> Written:
    return clip(x, None, high)


def sigmoid_times_x(x: Any) -> Written:
    return Written("Swish", (x,), {"alpha": 1.0})


def leaky_relu(x: Any, slope: float = 0.01) -> Written:
    return Written("LeakyRelu", (x,), {"alpha": slope})


def prelu(x: Any, slope: Any) -> Written:
    return Written("PRelu", (x, slope), {})


def elu(x: Any, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Written | None:
    return Written("Selu", (x,), {"alpha": alpha, "gamma": scale}) if input_scale == 1 else None


def softplus(x: Any, beta: float = 1, threshold: float = 20) -> Written | None:
    return Written("Softplus", (x,), {}) if beta == 1 and threshold >= 20 else None


def reversed_difference(x: Any, y: Any, alpha: float = 1) -> Written | None:
    return Written("Sub", (y, x), {}) if alpha == 1 else None


def reciprocal_root(x: Any) -> Written:
    return Written("Reciprocal", (Written("Sqrt", (x,), {}),), {})
