"""The operations of a graph, each one declaration: its parameters, shape rule with errors, exact cost and reference.

An operation never changes. `kind` is what it is called, `params` counts its weights and biases. Its methods:

- `channels(*known)`: the channels that each input must have and those of the result; None stands for what is not known
  before there is an x;
- `shape(layout, x_shape, ...)`: the shape of the result, NHWC, for inputs of these shapes in `layout`, or a ValueError;
- `macs(layout, x_shape, ...)`: its multiply-accumulates;
- `reference(layout, x, ...)`: the result in NumPy float64;
- `in_nhwc()`: the same operation on NHWC arrays.
"""

from dataclasses import dataclass, replace

import numpy as np

from fastconv import _orders, _pool_shapes
from fastconv._arrays import result_shape
from fastconv._graph import in_numpy
from fastconv._pool_shapes import PoolGeometry
from fastconv._shapes import ConvGeometry, image_shape


class Operation:
    """The defaults: an operation without parameters and multiplications that keeps the shape of its input."""

    __slots__ = ()
    kind = "identity"
    activation = None
    params = 0
    keeps_channels = True  # whether the result has the channels of the first input

    def __str__(self):
        return self.kind

    def channels(self, *known):
        return [None] * len(known), known[0]

    def channels_error(self, name, source, given, wanted):
        """The error of a `source` that has other channels than the node of this name takes."""
        return ValueError(f"{name} takes {wanted} channels, but {source} has {given}")

    def shape(self, layout, x_shape, *others):
        return image_shape(x_shape, layout)

    def macs(self, layout, *shapes):
        return 0

    def reference(self, layout, x):
        return x

    def in_nhwc(self):
        return self


@dataclass(slots=True, eq=False)  # not frozen, which `fastconv.conv2d`, that makes one in each call, would notice
class Conv(Operation):
    """A convolution: activation(conv(x, weight) + bias + residual), where the residual is a second input.

    The arrays are None where only shapes are asked for. `only_kernel` is the one size that a kernel may have there.
    """

    geometry: ConvGeometry
    has_bias: bool
    activation: str | None = None
    algorithm: str = "auto"
    weight: np.ndarray | None = None  # HWIO
    bias: np.ndarray | None = None
    only_kernel: int | None = None

    kind = "conv2d"
    keeps_channels = False

    @property
    def params(self):
        r, s, c, k = self.geometry.weight
        return k * (r * s * c + self.has_bias)

    def channels(self, *known):
        _, _, c, k = self.geometry.weight
        return [c * self.geometry.groups, k], k

    def channels_error(self, name, source, given, wanted):
        _, _, c, k = self.geometry.weight
        weight, groups, layout = self.geometry.given, self.geometry.groups, self.geometry.layout
        if wanted != c * groups:
            return ValueError(f"{name} of shape {weight} gives {k} channels, but its residual {source} has {given}")
        hint = _orders.weight_hint(weight, groups, layout, given, self.may_have)
        return ValueError(
            f"{name} of shape {weight} takes {wanted} channels in layout {layout}, but {source} has {given}"
            + f"; {hint}" * bool(hint)
        )

    def may_have(self, kernel):
        """Whether its kernel may be of this size, (R, S)."""
        return self.only_kernel is None or kernel == (self.only_kernel, self.only_kernel)

    def shape(self, layout, x_shape, residual=None):
        shape = self.geometry.at(x_shape).out_shape
        if residual is not None and residual != (wanted := result_shape(shape, len(residual), layout)):
            raise ValueError(f"residual must have shape {wanted}, got {residual}")
        return shape

    def macs(self, layout, x_shape, residual=None):
        return self.geometry.at(x_shape).macs

    def reference(self, layout, x, residual=None):
        weight = self.weight.astype(float)
        options = {**self.geometry.options, "activation": self.activation, "residual": residual}
        bias = None if self.bias is None else self.bias.astype(float)
        return in_numpy.conv2d(x, weight if layout == "NHWC" else weight.transpose(3, 2, 0, 1), bias, **options)

    def in_nhwc(self):
        return replace(self, geometry=self.geometry._replace(layout="NHWC"))


@dataclass(frozen=True, slots=True, eq=False)
class Pool(Operation):
    """The maximum, "max", or average, "avg", of each channel over windows; over the whole map without a geometry."""

    combine: str
    geometry: PoolGeometry | None = None

    @property
    def kind(self):
        return "global_" * (self.geometry is None) + f"{self.combine}_pool2d"

    def __str__(self):
        options = {} if self.geometry is None else self.geometry._asdict()
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in options.items())})"

    def at(self, layout, x_shape):
        """The `PoolShape` for an x of this shape."""
        whole = _pool_shapes.image_size(x_shape, layout) if self.geometry is None else None
        return (self.geometry or _pool_shapes.pool_geometry(whole, layout=layout)).at(x_shape)

    def shape(self, layout, x_shape):
        return self.at(layout, x_shape).out_shape

    def reference(self, layout, x):
        options = {} if self.geometry is None else self.geometry._asdict()
        return getattr(in_numpy, self.kind)(x, **{**options, "layout": layout})

    def in_nhwc(self):
        return self if self.geometry is None else replace(self, geometry=self.geometry._replace(layout="NHWC"))


@dataclass(frozen=True, slots=True, eq=False)
class Add(Operation):
    """activation(a + b) of maps of one shape."""

    activation: str | None = None

    kind = "add"

    def channels(self, *known):
        common = next((channels for channels in known if channels is not None), None)
        return [common] * len(known), common

    def shape(self, layout, first, second):
        if image_shape(first, layout) != image_shape(second, layout):
            raise ValueError(f"its inputs must have the same shape, got {first} and {second}")
        return image_shape(first, layout)

    def reference(self, layout, first, second):
        with np.errstate(over="ignore", invalid="ignore"):  # Inf and NaN are answers here
            return np.maximum(first + second, 0) if self.activation else first + second


@dataclass(frozen=True, slots=True, eq=False)
class Relu(Operation):
    """max(x, 0), which keeps a NaN."""

    kind = activation = "relu"

    def reference(self, layout, x):
        return np.maximum(x, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Concat(Operation):
    """The channels of maps of one size, those of the first before those of the next."""

    kind = "concat"
    keeps_channels = False

    def channels(self, *known):
        return [None] * len(known), None if None in known else sum(known)

    def shape(self, layout, *shapes):
        inputs = [image_shape(shape, layout) for shape in shapes]
        if len({shape[:3] for shape in inputs}) > 1:
            raise ValueError(
                f"its inputs must have the same height and width, got shapes {', '.join(map(str, shapes))}"
            )
        return (*inputs[0][:3], sum(channels for *_, channels in inputs))

    def reference(self, layout, *arrays):
        return np.concatenate(arrays, in_numpy.channel_axis(layout))
