"""Maxima and averages of each channel over windows or the whole map."""

from typing import Literal

from fastconv._checks import pool_shapes
from fastconv._checks.pool_shapes import PoolGeometry, PoolShape
from fastconv._checks.types import Layout, Shape
from fastconv._graph import in_numpy
from fastconv._graph.operations.operation import NHWC, Doubles, Operation


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
        whole = pool_shapes.image_size
        return (self.geometry or pool_shapes.pool_geometry(whole(x_shape, layout), layout=layout)).at(x_shape)

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        return self.at(layout, shapes[0]).out_shape

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        if self.geometry is None:
            return in_numpy.global_avg_pool2d(arrays[0], layout=layout)
        pool = in_numpy.max_pool2d if self.combine == "max" else in_numpy.avg_pool2d
        return pool(arrays[0], **self.geometry._asdict())

    def in_nhwc(self) -> "Pool":
        return self if self.geometry is None else self.changed(geometry=self.geometry._replace(layout="NHWC"))
