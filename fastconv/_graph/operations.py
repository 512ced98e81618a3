"""The operations of a graph, each one declaration: its parameters, shape rule with errors, exact cost and reference.

An operation never changes. `kind` is what it is called, `params` counts its weights and biases. Its methods:

- `channels(*known)`: the channels that each input must have and those of the result; None stands for what is not known
  before there is an x;
- `shape(layout, x_shape, ...)`: the shape of the result, NHWC, for inputs of these shapes in `layout`, or a ValueError;
- `macs(layout, x_shape, ...)`: its multiply-accumulates;
- `reference(layout, x, ...)`: the result in NumPy float64;
- `in_nhwc()`: the same operation on NHWC arrays.
"""

from typing import Any, Literal, TypeVar

import numpy as np

from fastconv import _orders, _pool_shapes
from fastconv._arrays import result_shape
from fastconv._graph import in_numpy
from fastconv._pool_shapes import PoolGeometry, PoolShape
from fastconv._shapes import ConvGeometry, image_shape
from fastconv._typing import Activation, AlgorithmName, Array, Layout, Shape, Size

Self = TypeVar("Self", bound="Operation")
Doubles = Array[np.float64]
NHWC = tuple[int, int, int, int]


class Operation:
    """The defaults: an operation without parameters and multiplications that keeps the shape of its input."""

    keeps_channels = True  # whether the result has the channels of the first input

    @property
    def kind(self) -> str:
        return "identity"

    @property
    def activation(self) -> Activation:
        return None

    @property
    def params(self) -> int:
        return 0

    def __str__(self) -> str:
        return self.kind

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [None] * len(known), known[0]

    def channels_error(self, name: str, source: str, given: int, wanted: int) -> ValueError:
        """The error of a `source` that has other channels than the node of this name takes."""
        return ValueError(f"{name} takes {wanted} channels, but {source} has {given}")

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        return image_shape(shapes[0], layout)

    def macs(self, layout: Layout, *shapes: Shape) -> int:
        return 0

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        return arrays[0]

    def in_nhwc(self) -> "Operation":
        return self

    def changed(self: Self, **changes: Any) -> Self:
        """A copy that has other values of these attributes."""
        other = object.__new__(type(self))
        vars(other).update(vars(self), **changes)
        return other


class Conv(Operation):
    """A convolution: activation(conv(x, weight) + bias + residual), where the residual is a second input.

    The arrays are None where only shapes are asked for. `only_kernel` is the one size that a kernel may have there.
    """

    activation: Activation = None
    kind = "conv2d"
    keeps_channels = False

    def __init__(
        self,
        geometry: ConvGeometry,
        has_bias: bool,
        activation: Activation = None,
        algorithm: AlgorithmName = "auto",
        weight: np.ndarray | None = None,  # HWIO
        bias: np.ndarray | None = None,
        only_kernel: int | None = None,
    ) -> None:
        self.geometry, self.has_bias, self.activation, self.algorithm = geometry, has_bias, activation, algorithm
        self.weight, self.bias, self.only_kernel = weight, bias, only_kernel

    @property
    def params(self) -> int:
        r, s, c, k = self.geometry.weight
        return k * (r * s * c + self.has_bias)

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        _, _, c, k = self.geometry.weight
        return [c * self.geometry.groups, k], k

    def channels_error(self, name: str, source: str, given: int, wanted: int) -> ValueError:
        _, _, c, k = self.geometry.weight
        weight, groups, layout = self.geometry.given, self.geometry.groups, self.geometry.layout
        if wanted != c * groups:
            return ValueError(f"{name} of shape {weight} gives {k} channels, but its residual {source} has {given}")
        hint = _orders.weight_hint(weight, groups, layout, given, self.may_have)
        return ValueError(
            f"{name} of shape {weight} takes {wanted} channels in layout {layout}, but {source} has {given}"
            + f"; {hint}" * bool(hint)
        )

    def may_have(self, kernel: Size) -> bool:
        """Whether its kernel may be of this size, (R, S)."""
        return self.only_kernel is None or kernel == (self.only_kernel, self.only_kernel)

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        x_shape, *residuals = shapes
        shape = self.geometry.at(x_shape).out_shape
        for residual in residuals:
            if residual != (wanted := result_shape(shape, len(residual), layout)):
                raise ValueError(f"residual must have shape {wanted}, got {residual}")
        return shape

    def macs(self, layout: Layout, *shapes: Shape) -> int:
        return self.geometry.at(shapes[0]).macs

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        if self.weight is None:
            raise RuntimeError("this graph has shapes alone")
        weight: Doubles = self.weight.astype(float)
        weight = weight if layout == "NHWC" else weight.transpose(3, 2, 0, 1)
        bias = None if self.bias is None else self.bias.astype(float)
        residual = arrays[1] if len(arrays) > 1 else None
        options = self.geometry.options
        return in_numpy.conv2d(arrays[0], weight, bias, activation=self.activation, residual=residual, **options)

    def in_nhwc(self) -> "Conv":
        return self.changed(geometry=self.geometry._replace(layout="NHWC"))


class Pool(Operation):
    """The maximum, "max", or average, "avg", of each channel over windows; over the whole map without a geometry."""

    def __init__(self, combine: Literal["max", "avg"], geometry: PoolGeometry | None = None) -> None:
        self.combine, self.geometry = combine, geometry

    @property
    def kind(self) -> str:
        return "global_" * (self.geometry is None) + f"{self.combine}_pool2d"

    def __str__(self) -> str:
        options = {} if self.geometry is None else self.geometry._asdict()
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in options.items())})"

    def at(self, layout: Layout, x_shape: Shape) -> PoolShape:
        """The `PoolShape` for an x of this shape."""
        whole = _pool_shapes.image_size
        return (self.geometry or _pool_shapes.pool_geometry(whole(x_shape, layout), layout=layout)).at(x_shape)

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        return self.at(layout, shapes[0]).out_shape

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        if self.geometry is None:
            return in_numpy.global_avg_pool2d(arrays[0], layout=layout)
        pool = in_numpy.max_pool2d if self.combine == "max" else in_numpy.avg_pool2d
        return pool(arrays[0], **self.geometry._asdict())

    def in_nhwc(self) -> "Pool":
        return self if self.geometry is None else self.changed(geometry=self.geometry._replace(layout="NHWC"))


class Add(Operation):
    """activation(a + b) of maps of one shape."""

    activation: Activation = None
    kind = "add"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        common = next((channels for channels in known if channels is not None), None)
        return [common] * len(known), common

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        first, second = shapes
        if image_shape(first, layout) != image_shape(second, layout):
            raise ValueError(f"its inputs must have the same shape, got {first} and {second}")
        return image_shape(first, layout)

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        first, second = arrays
        with np.errstate(over="ignore", invalid="ignore"):  # Inf and NaN are answers here
            return np.maximum(first + second, 0) if self.activation else first + second


class Relu(Operation):
    """max(x, 0), which keeps a NaN."""

    kind = "relu"
    activation: Activation = "relu"

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        return np.maximum(arrays[0], 0)


class Concat(Operation):
    """The channels of maps of one size, those of the first before those of the next."""

    kind = "concat"
    keeps_channels = False

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        told = [channels for channels in known if channels is not None]
        return [None] * len(known), sum(told) if len(told) == len(known) else None

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        inputs = [image_shape(shape, layout) for shape in shapes]
        if len({shape[:3] for shape in inputs}) > 1:
            raise ValueError(
                f"its inputs must have the same height and width, got shapes {', '.join(map(str, shapes))}"
            )
        return (*inputs[0][:3], sum(channels for *_, channels in inputs))

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        return np.concatenate(arrays, in_numpy.channel_axis(layout))
