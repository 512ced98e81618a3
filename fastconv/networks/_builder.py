"""`Builder`: a graph of shapes, with what the networks are made of."""

from typing import Any

import numpy as np

from fastconv._checks.arguments import integer, meant
from fastconv._checks.shapes import conv_geometry, weight_for
from fastconv._checks.types import Activation, Layout
from fastconv._graph import blocks
from fastconv._graph.graph import Node
from fastconv._graph.operations.conv import Conv, Linear
from fastconv._graph.operations.normalization import BatchNorm
from fastconv.graph import Graph
from fastconv.networks._network import Network


class Builder(Graph):
    """A graph whose convolutions, fully connected layers and batch norms know their shapes alone."""

    def __init__(self, layout: Layout, classes: int) -> None:
        super().__init__(layout=layout)
        self.classes = integer("classes", classes, 1)

    def channels(self, x: Node) -> int:
        """The channels of x; a network's input is an image of three."""
        return self._builder.channels(x) or 3

    def conv(
        self,
        x: Node,
        name: str,
        kernel: int,
        out: int,
        *,
        groups: int = 1,
        bias: bool = True,
        activation: Activation = "relu",
        **options: Any,
    ) -> Node:
        """A convolution to `out` channels."""
        shape = weight_for(kernel, self.channels(x), out, groups, self.layout)
        geometry = conv_geometry(shape, groups=groups, layout=self.layout, **options)
        return self._add(name, Conv(geometry, bias, activation), x=x)

    def fully_connected(self, x: Node, name: str, features: int, out: int, *, activation: Activation = None) -> Node:
        """A product of a vector of `features` with a matrix."""
        shape = weight_for(1, features, out, 1, self.layout)
        return self._add(name, Linear(conv_geometry(shape, layout=self.layout), True, activation), x=x)

    def normalised(self, x: Node, name: str) -> Node:
        """A batch norm with PyTorch's epsilon."""
        zeros = np.zeros(self.channels(x))
        return self._add(name, BatchNorm(zeros, zeros, zeros, zeros, 1e-5), x=x)

    def block(self, kind: str, x: Node, name: str, *parts: tuple[int, int, int], **options: Any) -> Node:
        """A block of `fastconv` whose parts are (kernel size, input channels, output channels)."""
        shapes = [weight_for(size, c, k, 1, self.layout) for size, c, k in parts]
        (y,) = self._builder.include(blocks.of_shapes(kind, shapes, True, layout=self.layout, **options), [x], name)
        return y

    def network(self, name: str, size: int, y: Node) -> Network:
        """The network that computes y from square images of this size."""
        image = (size, size, 3) if self.layout == "NHWC" else (3, size, size)
        return Network(name, image, self._builder.graph(y))


def choice(name: str, value: Any, table: dict[Any, Any]) -> Any:
    """What a table has for an argument that must be one of its keys."""
    if not isinstance(value, (int, str)) or value not in table:
        raise ValueError(f"{name} must be one of {tuple(table)}, got {value!r}{meant(value, table)}")
    return table[value]
