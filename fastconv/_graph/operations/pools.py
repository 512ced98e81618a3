"""Maxima and averages of each channel over windows or the whole map."""

from typing import Literal

from fastconv._checks import pool_shapes
from fastconv._checks.pool_shapes import PoolGeometry, PoolShape
from fastconv._checks.types import Layout, Shape
from fastconv._graph import in_numpy
from fastconv._graph.operations.operation import NHWC, Doubles, Operation


class Pool(Operation):
    """The maximum, "max", or average, "avg", of each channel over windows; over the whole map without a geometry."""

    gives = "maps"

    def __init__(self, combine: Literal["max", "avg"], geometry: PoolGeometry | None = None) -> None:
        self.combine, self.geometry = combine, geometry

    @property
    def kind(self) -> str:
        return "global_" * (self.geometry is None) + f"{self.combine}_pool2d"

    def __str__(self) -> str:
        options, defaults = {} if self.geometry is None else self.geometry._asdict(), PoolGeometry._field_defaults
        told = (f"{name}={value!r}" for name, value in options.items() if value != defaults.get(name))
        return f"{self.kind}({', '.join(told)})"

    def geometry_for(self, layout: Layout, x_shape: Shape) -> PoolGeometry:
        """The geometry, that over the whole of such an x where there is none."""
        whole = pool_shapes.image_size
        return self.geometry or pool_shapes.pool_geometry(whole(x_shape, layout), layout=layout)

    def at(self, layout: Layout, x_shape: Shape) -> PoolShape:
        """The `PoolShape` for an x of this shape."""
        return self.geometry_for(layout, x_shape).at(x_shape)

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        return self.at(layout, shapes[0]).out_shape

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        return in_numpy.pooled(self.combine, arrays[0], self.geometry_for(layout, arrays[0].shape))

    def in_nhwc(self) -> "Pool":
        return self if self.geometry is None else self.changed(geometry=self.geometry._replace(layout="NHWC"))
