"""A transposed convolution is convolutions of stride 1, each of which gives the pixels of one phase of the stride.

Along an axis tap k of pixel i falls on place s·i + d·k of the whole result. So the place s·m + a, of phase a, sums the
taps with d·k = a + s·t, which are g / s apart for the greatest common divisor g of s and d, each of pixel m − t: a
convolution whose taps are d / g pixels apart, in the opposite order. The phases stand side by side as channels, which
`DepthToSpace` makes blocks of pixels, without what is cut off. Phases of equal taps become one convolution
(`siblings.py`), so that with kernels as large as the stride there is one 1×1 convolution. A phase without taps is the
bias alone.
"""

from dataclasses import replace
from itertools import product
from math import gcd
from typing import NamedTuple

import numpy as np

from fastconv._checks.shapes import ConvGeometry
from fastconv._checks.types import Size
from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.picks import DepthToSpace
from fastconv._graph.operations.shaping import Concat
from fastconv._graph.operations.transposed import ConvTranspose


class _Phase(NamedTuple):
    """The taps of a phase, last first, how many pixels they are apart, and the zeros before and after x."""

    taps: list[int]
    apart: int
    padding: Size


class _Axis(NamedTuple):
    """Its phases, and how many of their pixels are too many at either end."""

    phases: list[_Phase]
    crop: Size


def expand_transposed(graph: Graph) -> Graph:
    """The graph whose transposed convolutions are convolutions."""
    nodes = list[Node]()
    for node in graph.nodes:
        nodes += _expanded(graph, node, node.operation) if isinstance(node.operation, ConvTranspose) else [node]
    return graph.changed(nodes)


def _expanded(graph: Graph, node: Node, transposed: ConvTranspose) -> list[Node]:
    geometry, bias = transposed.geometry, transposed.bias
    axes = zip(
        geometry.weight, geometry.stride, geometry.dilation, geometry.padding, geometry.output_padding, strict=False
    )
    rows, columns = (_axis(*axis) for axis in axes)
    nodes = list[Node]()
    for row, column in product(rows.phases, columns.phases):
        name = graph.unused(f"{node.name}.{len(nodes)}")
        if row.taps and column.taps:
            weight = transposed.weight[row.taps][:, column.taps]
            padding, dilation = (row.padding, column.padding), (row.apart, column.apart)
            shape = ConvGeometry(weight.shape, (1, 1), padding, dilation, geometry.groups)
            conv = Conv(shape, bias is not None, transposed.activation, "auto", weight, bias)
            nodes.append(Node(name, conv.changed(accuracy=transposed.accuracy), node.inputs))
        else:
            vector = np.zeros(geometry.weight[3]) if bias is None else bias.astype(float)
            fill = Elementwise("fill", vectors=(vector,), activation=transposed.activation)
            nodes.append(Node(name, fill, (nodes[0].name,)))  # phase 0 has tap 0
    if len(nodes) == 1 and rows.crop == columns.crop == (0, 0):
        return [replace(nodes[0], name=node.name)]
    joined = Node(graph.unused(f"{node.name}.phases"), Concat(), tuple(one.name for one in nodes))
    together = DepthToSpace(geometry.stride, crop=(rows.crop, columns.crop))
    return [*nodes, joined, Node(node.name, together, (joined.name,))]


def _axis(taps: int, stride: int, dilation: int, padding: Size, output_padding: int) -> _Axis:
    """How an axis falls into phases."""
    apart = dilation // gcd(stride, dilation)
    taken = [[k for k in range(taps) if (k * dilation - a) % stride == 0] for a in range(stride)]
    # How many pixels before the m-th lie the nearest and the farthest that a phase sums for it.
    shifts = [[(k * dilation - a) // stride for k in own] or [0] for a, own in enumerate(taken)]
    # The m go from `first` to `beyond` after the last pixel of x, so far that no padding is negative.
    last = (taps - 1) * dilation + output_padding - padding[1]  # place of the result, from that of x's last pixel on
    first = min(padding[0] // stride, *(shift[-1] for shift in shifts))
    beyond = max(last // stride, *(shift[0] for shift in shifts))
    phases = [
        _Phase(own[::-1], apart, (shift[-1] - first, beyond - shift[0]))
        for own, shift in zip(taken, shifts, strict=True)
    ]
    return _Axis(phases, (padding[0] - first * stride, (beyond + 1) * stride - 1 - last))
