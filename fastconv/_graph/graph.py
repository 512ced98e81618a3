"""A graph of operations as plain data, and what follows from it: shapes and their errors, cost, reference."""

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import prod

import numpy as np

from fastconv._checks.arguments import integer, named, sizes
from fastconv._checks.arrays import result_shape
from fastconv._checks.shapes import ConvShape, image_shape
from fastconv._checks.types import Layout, Shape
from fastconv._graph.costs import Cost
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.operation import Doubles, Operation

INPUT = "x"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An operation, and the names of the nodes whose results it reads; that of the input is "x"."""

    name: str
    operation: Operation
    inputs: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<node {self.name}: {self.operation.kind}>"


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes, each after those that it reads and all needed for the output, which is the name of one of them.

    `dtype` is that of the weights, None where there are none.
    """

    nodes: tuple[Node, ...]
    output: str
    layout: Layout
    dtype: np.dtype | None = None

    def shapes(self, x_shape: Shape) -> dict[str, Shape]:
        """{name: the shape of its result} for an x of this shape, in `layout` and with as many axes as x has.

        Vectors are maps of one pixel; `result_shape` tells what a user sees.
        """
        x_shape = sizes("x", x_shape)
        image_shape(x_shape, self.layout)
        shapes = {INPUT: x_shape}
        for node in self.nodes:
            with self._telling(node.name):
                nhwc = node.operation.shape(self.layout, *(shapes[name] for name in node.inputs))
            shapes[node.name] = result_shape(nhwc, len(x_shape), self.layout)
        return shapes

    def result_shape(self, name: str, shapes: dict[str, Shape]) -> Shape:
        """The shape of a result as a user sees it, where `shapes` gave these: a vector has no height and width."""
        shape = shapes[name]
        return (*shape[:-3], prod(shape[-3:])) if name in self.vectors else shape

    @property
    def vectors(self) -> set[str]:
        """The nodes that give vectors: inside, maps of one pixel."""
        vectors = set[str]()
        for node in self.nodes:
            gives = node.operation.gives
            if gives == "vectors" or (gives == "same" and node.inputs[0] in vectors):
                vectors.add(node.name)
        return vectors

    def cost(self, x_shape: Shape, itemsize: int) -> Cost:
        """The `Cost` for an x of this shape: what lies between x and the output can stay in cache."""
        itemsize, shapes = integer("itemsize", itemsize, 1), self.shapes(x_shape)
        macs = [node.operation.macs(self.layout, *(shapes[name] for name in node.inputs)) for node in self.nodes]
        ends = prod(shapes[INPUT]) + prod(shapes[self.output])
        return Cost(sum(macs), self.params, itemsize * (ends + self.params))

    @property
    def params(self) -> int:
        """Weights and biases, those of an operation that stands twice once."""
        return sum(operation.params for operation in {node.operation for node in self.nodes})

    def reference(self, x: np.ndarray) -> Doubles:
        """The output for x in NumPy float64, where the weights are arrays."""
        shapes = self.shapes(x.shape)
        values: dict[str, Doubles] = {INPUT: x.astype(float)}
        for node in self.nodes:
            values[node.name] = node.operation.reference(self.layout, *(values[name] for name in node.inputs))
        return values[self.output].reshape(self.result_shape(self.output, shapes))

    def conv_shapes(self, x_shape: Shape) -> dict[str, ConvShape]:
        """{name: `ConvShape`} of the convolutions."""
        shapes = self.shapes(x_shape)
        convs = [(node, node.operation) for node in self.nodes if isinstance(node.operation, Conv)]
        return {node.name: conv.geometry.at(shapes[node.inputs[0]]) for node, conv in convs}

    def uses(self) -> Counter[str]:
        """{name: how often it is read}, being the output counted as once."""
        return Counter([self.output, *(name for node in self.nodes for name in node.inputs)])

    def _telling(self, name: str) -> AbstractContextManager[None]:
        """The context that puts a node's name before the message of an error, where there are several."""
        return named(name) if len(self.nodes) > 1 else nullcontext()


def single(operation: Operation, layout: Layout, dtype: np.dtype | None = None) -> Graph:
    """The graph of one operation on x."""
    return Graph((Node(operation.kind, operation, (INPUT,)),), operation.kind, layout, dtype)
