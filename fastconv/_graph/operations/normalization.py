"""Normalisations: of each channel by constants, of each pixel by its channels; the softmax, along any axis."""

from typing import Literal

import numpy as np

from fastconv._checks.shapes import image_shape
from fastconv._checks.types import ImageAxis, Layout, Shape
from fastconv._graph import in_numpy
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.operation import NHWC, Doubles, Operation

IMAGE_AXES: tuple[ImageAxis, ...] = "height", "width", "channels"


class Scale(Elementwise):
    """activation(x · scale[c] + shift[c]), whose vectors are kept in float64, and rounded once for a run."""

    def __init__(self, scale: np.ndarray, shift: np.ndarray | None) -> None:
        shift = np.zeros(scale.shape) if shift is None else shift.astype(float)
        super().__init__("scale", vectors=(scale.astype(float), shift))


class BatchNorm(Scale):
    """weight[c] · (x − mean[c]) / √(variance[c] + epsilon) + bias[c], as scale and shift."""

    kind = "batch_norm"

    def __init__(
        self, mean: np.ndarray, variance: np.ndarray, weight: np.ndarray | None, bias: np.ndarray | None, epsilon: float
    ) -> None:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # Inf and NaN are values like others
            scale = (1.0 if weight is None else weight.astype(float)) / np.sqrt(variance.astype(float) + epsilon)
            super().__init__(scale, (0.0 if bias is None else bias) - mean * scale)
        self.epsilon = epsilon

    @property
    def weights(self) -> dict[str, Shape]:
        return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), self.vectors[0].shape)

    def with_weights(self, arrays: dict[str, np.ndarray]) -> "BatchNorm":
        return BatchNorm(arrays["running_mean"], arrays["running_var"], arrays["weight"], arrays["bias"], self.epsilon)


class LocalResponseNorm(Operation):
    """x / (k + alpha / size · Σ x²)^beta, the sum over `size` channels around each, as far as there are any."""

    kind = "local_response_norm"

    def __init__(self, size: int, alpha: float, beta: float, k: float) -> None:
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def __str__(self) -> str:
        return f"{self.kind}({self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k})"

    def window(self, channels: int) -> tuple[int, int]:
        """(channels before, channels after) each that may be in its sum: of an even size one more before."""
        return min(self.size // 2, channels - 1), min((self.size - 1) // 2, channels - 1)

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        x = np.moveaxis(arrays[0], in_numpy.channel_axis(layout), -1)
        window = self.window(x.shape[-1])
        with np.errstate(all="ignore"):  # Inf and NaN are answers here
            padded = np.pad(x * x, ((0, 0),) * (x.ndim - 1) + (window,))
            squares = sum(padded[..., i : i + x.shape[-1]] for i in range(sum(window) + 1))
            y = x / (self.k + self.alpha / self.size * squares) ** self.beta
        return np.ascontiguousarray(np.moveaxis(y, -1, in_numpy.channel_axis(layout)))


class Softmax(Operation):
    """exp(x) / Σ exp(x), the sum along an axis, or its logarithm."""

    def __init__(self, axis: ImageAxis = "channels", is_log: bool = False) -> None:
        self.axis, self.is_log = axis, is_log

    @property
    def kind(self) -> str:
        return "log_" * self.is_log + "softmax"

    def __str__(self) -> str:
        return self.kind + f"(axis={self.axis!r})" * (self.axis != "channels")

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        channel = in_numpy.channel_axis(layout)
        axis = channel if self.axis == "channels" else {"height": -3, "width": -2}[self.axis] + (layout == "NCHW")
        with np.errstate(invalid="ignore", divide="ignore"):  # NaN is an answer here
            differences: Doubles = arrays[0] - arrays[0].max(axis, keepdims=True)
            powers: Doubles = np.exp(differences)  # none overflows
            if not self.is_log:
                powers /= powers.sum(axis, keepdims=True)
                return powers
            largest = differences == 0
            others = largest.sum(axis, keepdims=True) - 1
            beside = np.where(largest, 0, powers).sum(axis, keepdims=True) + others
            logarithms: Doubles = differences - np.log1p(beside)
        return logarithms


class _Centred(Operation):
    """weight[c] · (x − m) / √(v + epsilon) + bias[c], with mean m and variance v along some axes."""

    def __init__(self, weight: Doubles, bias: Doubles, epsilon: float) -> None:
        self.vectors, self.epsilon = (weight, bias), epsilon

    @property
    def params(self) -> int:
        return sum(vector.size for vector in self.vectors)

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [self.vectors[0].size], self.vectors[0].size

    def axes(self, layout: Layout) -> tuple[int, ...]:
        """Those along which it normalises."""
        raise NotImplementedError

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        (x,), axes = arrays, self.axes(layout)
        weight, bias = (in_numpy.per_channel(vector, layout) for vector in self.vectors)
        with np.errstate(all="ignore"):  # Inf and NaN are answers here
            d = x - x.mean(axes, keepdims=True)
            y: Doubles = d / np.sqrt((d * d).mean(axes, keepdims=True) + self.epsilon) * weight + bias
        return y


class LayerNorm(_Centred):
    """Of each pixel, by its channels."""

    kind = "layer_norm"

    def axes(self, layout: Layout) -> tuple[int, ...]:
        return (in_numpy.channel_axis(layout),)


class InstanceNorm(_Centred):
    """Of each channel, by its pixels."""

    kind = "instance_norm"

    def axes(self, layout: Layout) -> tuple[int, ...]:
        return tuple({-1, -2, -3} - {in_numpy.channel_axis(layout)})


class GroupNorm(_Centred):
    """Of each group of channels, by its pixels; the groups have as many channels each."""

    kind = "group_norm"

    def __init__(self, groups: int, weight: Doubles, bias: Doubles, epsilon: float) -> None:
        super().__init__(weight, bias, epsilon)
        self.groups = groups

    def __str__(self) -> str:
        return f"{self.kind}({self.groups})"

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        x = in_numpy.nhwc(arrays[0], layout)
        weight, bias = (vector.reshape(self.groups, -1) for vector in self.vectors)
        with np.errstate(all="ignore"):  # Inf and NaN are answers here
            d = x.reshape(*x.shape[:3], self.groups, -1)
            d = d - d.mean((1, 2, 4), keepdims=True)
            y = d / np.sqrt((d * d).mean((1, 2, 4), keepdims=True) + self.epsilon) * weight + bias
        return in_numpy.from_nhwc(y.reshape(x.shape), arrays[0].ndim, layout)


class ChannelPool(Operation):
    """The maximum, sum or mean of the channels of each pixel, as one channel."""

    keeps_channels = False

    def __init__(self, combine: Literal["max", "sum", "mean"]) -> None:
        self.combine = combine

    @property
    def kind(self) -> str:
        return f"channel_{self.combine}"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [None] * len(known), 1

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        return *image_shape(shapes[0], layout)[:3], 1

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        with np.errstate(all="ignore"):  # Inf and NaN are answers here
            y: Doubles = getattr(arrays[0], self.combine)(in_numpy.channel_axis(layout), keepdims=True)
        return y
