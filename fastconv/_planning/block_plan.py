"""Plans for blocks of larger images, which give the bits that the whole images have.

What a plan chooses by the size of x, the algorithm of each convolution, is chosen by that of the whole images. And a
tile of an algorithm must be whole in a block or end with the image, so a block has to begin where a tile begins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Array, Layout, Shape
from fastconv._graph.graph import INPUT, Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.rewrites import rewritten
from fastconv._planning import choosing
from fastconv._planning.algorithms import Algorithm
from fastconv._planning.conv_plan import ConvPlan
from fastconv._planning.graph_plan import GraphPlan
from fastconv._planning.plan import Plan

RESIDUAL = "residual"


Choice = tuple[ConvShape, Algorithm]  # of the whole images


class BlockConvPlan(ConvPlan):
    """A convolution of blocks, as it was chosen for the whole images."""

    def __init__(self, operation: Conv, dtype: np.dtype, num_threads: int | None, choice: Choice) -> None:
        super().__init__(operation, dtype, num_threads)
        self._whole, self._algorithm = choice

    def _choose(self, x_shape: Shape) -> Choice:
        return self._operation.geometry.at(x_shape)._replace(whole=self._whole), self._algorithm

    def run(self, x: Array[Any], *residual: Array[Any]) -> Array[Any]:
        """The result of a block, and a residual if there is one."""
        return self(x, residual=residual[0] if residual else None)


class BlockPlan(GraphPlan):
    """A graph of blocks, whose convolutions are as they were chosen for the whole images, by name."""

    def __init__(self, graph: Graph, dtype: np.dtype, num_threads: int | None, chosen: Mapping[str, Choice]) -> None:
        super().__init__(replace(graph, dtype=dtype), num_threads)
        self._chosen = chosen

    def _conv_plan(self, name: str, conv: Conv, dtype: np.dtype) -> ConvPlan:
        return BlockConvPlan(conv, dtype, self._num_threads, self._chosen[name])

    def run(self, *blocks: Array[Any]) -> Any:
        """The results of a block of each input."""
        return self(*blocks)


def for_blocks(
    plan: Plan, dtype: np.dtype, num_threads: int | None, wholes: Sequence[Shape]
) -> tuple[BlockConvPlan | BlockPlan, Graph, dict[str, int]]:
    """(the plan for blocks of inputs of these shapes in its layout, the NHWC graph that it runs, {name: the side of the
    tiles of a result}).

    A second input of a convolution is its residual.
    """
    if isinstance(plan, ConvPlan):
        operation = plan._operation
        choice = _choice(operation, wholes[0])
        inputs = (INPUT, RESIDUAL)[: len(wholes)]
        node = Node(operation.kind, operation.in_nhwc(), inputs)
        graph = Graph((node,), (node.name,), "NHWC", dtype, inputs)
        return BlockConvPlan(operation, dtype, num_threads, choice), graph, {node.name: choice[1].tile}
    given = plan._graph
    graph = rewritten(replace(given, dtype=dtype))
    shapes = graph.shapes(*(_nhwc(shape, given.layout) for shape in wholes))
    convs = {node.name: (node.operation, shapes[node.inputs[0]]) for node in graph.nodes}
    chosen = {name: _choice(conv, shape) for name, (conv, shape) in convs.items() if isinstance(conv, Conv)}
    tiles = {name: algorithm.tile for name, (_, algorithm) in chosen.items()}
    return BlockPlan(given, dtype, num_threads, chosen), graph, tiles


def _choice(conv: Conv, x_shape: Shape) -> Choice:
    """What is chosen for an x of this shape.

    Blocks in layout NCHW are converted: there, which pixels are the last of an image, fewer than a vector, decides how
    these are summed.
    """
    how = conv.algorithm, conv.accuracy
    shape, algorithm = choosing.shape_and_algorithm(conv.geometry, x_shape, *how)
    return shape, choosing.choose(algorithm.name, shape) if algorithm.layout == "NCHW" else algorithm


def _nhwc(shape: Shape, layout: Layout) -> Shape:
    return shape if layout == "NHWC" else (*shape[:-3], *shape[-2:], shape[-3])
