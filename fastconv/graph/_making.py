"""A graph in the making, of which the methods of the operations are made."""

from fastconv._checks import arguments, orders
from fastconv._checks.types import Layout
from fastconv._graph.builder import Builder
from fastconv._graph.graph import Node
from fastconv._graph.operations.operation import Operation


class Making:
    """The nodes so far; a subclass has a method for each operation of its family."""

    def __init__(self, *, layout: Layout = "NHWC") -> None:
        self._builder = Builder(arguments.one_of("layout", layout, orders.LAYOUTS))
        self.x = self._builder.x

    @property
    def layout(self) -> Layout:
        """ "NHWC" or "NCHW"."""
        return self._builder.layout

    def _add(self, name: str | None, operation: Operation, **inputs: Node) -> Node:
        with arguments.named(name or operation.kind):
            nodes = [self._node(argument, node) for argument, node in inputs.items()]
        return self._builder.add(operation, *nodes, name=name)

    def _node(self, argument: str, value: object) -> Node:
        if not isinstance(value, Node):
            raise TypeError(f"{argument} must be a node of this graph, got {type(value).__name__}")
        if value not in self._builder:
            raise ValueError(f"{argument} must be a node of this graph, got {value.name!r} of another one")
        return value
