"""Maxima and averages of each channel over windows or the whole map."""

import functools
from typing import Literal

import numpy as np

from fastconv._checks.pool_shapes import PoolGeometry, PoolShape, image_size, pool_geometry
from fastconv._checks.types import Layout, Shape
from fastconv._graph import in_numpy
from fastconv._graph.operations.operation import NHWC, Doubles, Operation


class Pool(Operation):
    """The maximum, "max", or average, "avg", of each channel over windows; over the whole map without a geometry, where
    it may be the "sum".
    """

    gives = "maps"

    def __init__(self, combine: Literal["max", "avg", "sum"], geometry: PoolGeometry | None = None) -> None:
        self.combine, self.geometry = combine, geometry

    @property
    def kind(self) -> str:
        return "global_" * (self.geometry is None) + f"{self.combine}_pool2d"

    def __str__(self) -> str:
        options, defaults = {} if self.geometry is None else self.geometry._asdict(), PoolGeometry._field_defaults
        told = (f"{name}={value!r}" for name, value in options.items() if value != defaults.get(name))
        return f"{self.kind}({', '.join(told)})"

    def at(self, layout: Layout, x_shape: Shape) -> PoolShape:
        """The `PoolShape` for an x of this shape."""
        return (self.geometry or pool_geometry(image_size(x_shape, layout), layout=layout)).at(x_shape)

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        return self.at(layout, shapes[0]).out_shape

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        (x,) = arrays
        shape = self.at(layout, x.shape)
        combine, fill = (np.maximum, -np.inf) if self.combine == "max" else (np.add, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            y = functools.reduce(combine, (tap for _, _, tap in in_numpy.taps(x, shape, layout, fill=fill)))
        if self.combine == "avg":
            y /= np.outer(_counted(shape, 0, shape.height), _counted(shape, 1, shape.width))[..., None]
        return in_numpy.from_nhwc(y, x.ndim, layout)

    def in_nhwc(self) -> "Pool":
        return self if self.geometry is None else self.changed(geometry=self.geometry._replace(layout="NHWC"))


def _counted(shape: PoolShape, axis: Literal[0, 1], size: int) -> list[int]:
    """Pixels along an axis, of this size, that count in an average, of each window."""
    (before, after), step = shape.counted[axis], shape.stride[axis]
    first = -shape.padding[axis][0]
    starts = range(first, first + shape.out_shape[axis + 1] * step, step)
    return [min(start + shape.kernel[axis], size + after) - max(start, -before) for start in starts]
