"""A graph of operations as plain data, and what follows from it: shapes and their errors, cost, reference."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from fastconv._checks.arguments import alone, integer, named, sizes
from fastconv._checks.arrays import result_shape
from fastconv._checks.shapes import ConvShape, check_addressable, image_shape
from fastconv._checks.types import Layout, Shape
from fastconv._graph.costs import Cost
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.operation import Doubles, Operation

INPUT = "x"
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An operation, and the names of the nodes whose results it reads; an input of the graph reads none."""

    name: str
    operation: Operation
    inputs: tuple[str, ...] = ()

    def reading(self, renamed: Mapping[str, str]) -> "Node":
        """The node that reads these names instead of those."""
        if renamed.keys().isdisjoint(self.inputs):
            return self
        return Node(self.name, self.operation, tuple(renamed.get(name, name) for name in self.inputs))

    def __repr__(self) -> str:
        return f"<node {self.name}: {self.operation.kind}>"


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes, each after those that it reads and all needed for the outputs, which are the names of some of them.

    `dtype` is that of the weights, None where there are none. Inputs have as many axes and images as the first.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    layout: Layout
    dtype: np.dtype | None = None
    inputs: tuple[str, ...] = (INPUT,)

    def shapes(self, *given: Shape) -> dict[str, Shape]:
        """{name: the shape of its result} for inputs of these shapes, in `layout` and with as many axes as they.

        Vectors are maps of one pixel; `result_shape` tells what a user sees.
        """
        self.check_count(given)
        shapes = {name: sizes(name, shape) for name, shape in zip(self.inputs, given, strict=True)}
        batches = {name: (len(shape), image_shape(shape, self.layout, name)[0]) for name, shape in shapes.items()}
        for name, shape in shapes.items():
            check_addressable(name, *shape)
        first, *others = self.inputs
        for name in others:
            if batches[name] != batches[first]:
                raise ValueError(
                    f"{name} must have as many axes and images as {first}, {shapes[first]}, got {shapes[name]}"
                )
        ndim = len(shapes[first])
        for node in self.nodes:
            with self._telling(node.name):
                nhwc = node.operation.shape(self.layout, *(shapes[name] for name in node.inputs))
                check_addressable("the output", *nhwc)
            shapes[node.name] = result_shape(nhwc, ndim, self.layout)
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
            if gives == "vectors" or (gives == "same" and vectors.issuperset(node.inputs)):
                vectors.add(node.name)
        return vectors

    def check_count(self, given: Sequence[object]) -> None:
        """Check that there is one for each input."""
        if len(given) != len(self.inputs):
            raise TypeError(f"the inputs must be ({', '.join(self.inputs)}), got {len(given)} of them")

    def cost(self, *given: Shape, itemsize: int) -> Cost:
        """The `Cost` for inputs of these shapes: arrays between them and the outputs can stay in cache."""
        itemsize, shapes = integer("itemsize", itemsize, 1), self.shapes(*given)
        macs = [node.operation.macs(self.layout, *(shapes[name] for name in node.inputs)) for node in self.nodes]
        ends = sum(prod(shapes[name]) for name in (*self.inputs, *self.outputs))
        return Cost(sum(macs), self.params, itemsize * (ends + self.params))

    @property
    def params(self) -> int:
        """Weights and biases, those of an operation that stands twice once."""
        return sum(operation.params for operation in {node.operation for node in self.nodes})

    def reference(self, *given: np.ndarray) -> Any:
        """The output for these inputs in NumPy float64, a tuple of several, where the weights are arrays."""
        shapes = self.shapes(*(x.shape for x in given))
        values: dict[str, Doubles] = {name: x.astype(float) for name, x in zip(self.inputs, given, strict=True)}
        for node in self.nodes:
            values[node.name] = node.operation.reference(self.layout, *(values[name] for name in node.inputs))
        return alone([values[name].reshape(self.result_shape(name, shapes)) for name in self.outputs])

    def conv_shapes(self, *given: Shape) -> dict[str, ConvShape]:
        """{name: `ConvShape`} of the convolutions."""
        shapes = self.shapes(*given)
        convs = [(node, node.operation) for node in self.nodes if isinstance(node.operation, Conv)]
        return {node.name: conv.geometry.at(shapes[node.inputs[0]]) for node, conv in convs}

    def changed(self, nodes: Iterable[Node], renamed: Mapping[str, str] = _NONE) -> "Graph":
        """The graph of other nodes, whose outputs may have other names."""
        outputs = tuple(renamed.get(name, name) for name in self.outputs)
        return Graph(tuple(nodes), outputs, self.layout, self.dtype, self.inputs)

    def unused(self, name: str, others: Iterable[str] = ()) -> str:
        """A name that no node, no input and none of the others has, this one if possible."""
        names = {*self.inputs, *(node.name for node in self.nodes), *others}
        while name in names:
            name += "'"
        return name

    def uses(self) -> Counter[str]:
        """{name: how often it is read}, being an output counted as once."""
        return Counter([*self.outputs, *(name for node in self.nodes for name in node.inputs)])

    def _telling(self, name: str) -> AbstractContextManager[None]:
        """The context that puts a node's name before the message of an error, where there are several."""
        return named(name) if len(self.nodes) > 1 else nullcontext()


def single(operation: Operation, layout: Layout, dtype: np.dtype | None = None) -> Graph:
    """The graph of one operation on x."""
    return Graph((Node(operation.kind, operation, (INPUT,)),), (operation.kind,), layout, dtype)
