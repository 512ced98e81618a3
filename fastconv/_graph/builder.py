"""A graph in the making: what can be checked before there is an x is checked as each node is added."""

from collections import Counter
from collections.abc import Iterator, KeysView, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any

import numpy as np

from fastconv._checks import arrays
from fastconv._checks.types import Layout
from fastconv._graph.graph import INPUT, Graph, Node
from fastconv._graph.operations.operation import Operation


class Builder:
    """Nodes, each of which reads earlier ones; `x` is the first input."""

    def __init__(self, layout: Layout) -> None:
        self.layout: Layout = layout
        self.dtype: np.dtype | None = None
        self._first = ""  # which array said the dtype
        self._nodes = dict[str, Node]()
        self._numbers: Counter[str] = Counter()  # of the names that were made, by kind
        self._decider = dict[str, str]()  # {name: the node, it or one before it, that decides how many channels it has}
        self._channels = dict[str, int | None]()  # of those; None where they are not known before there is an x
        self.x = self.input(INPUT)

    def __copy__(self) -> "Builder":
        """One that grows by itself; the nodes so far are of both."""
        other = object.__new__(type(self))
        vars(other).update(self._copied())
        return other

    def _copied(self) -> dict[str, Any]:
        return {name: copy(value) if isinstance(value, dict) else value for name, value in vars(self).items()}

    @contextmanager
    def undone_where_it_fails(self) -> Iterator[None]:
        """Leave the graph as it was where what is added is rejected."""
        before = self._copied()
        try:
            yield
        except (TypeError, ValueError):
            vars(self).update(before)
            raise

    def array(self, name: str, value: Any) -> np.ndarray:
        """A copy of a checked array, of the dtype that the first of them has."""
        array: np.ndarray = arrays.array(name, value, self.dtype, other=self._first).copy()
        self.dtype, self._first = array.dtype, self._first or name
        return array

    def take_dtype(self, name: str, dtype: np.dtype | None) -> None:
        """Check that the weights of what is added under this name have the dtype of the others."""
        if self.dtype is None:
            self.dtype, self._first = dtype, name
        elif dtype is not None and dtype != self.dtype:  # None would compare as NumPy's default
            raise TypeError(f"{name} has dtype {dtype}, but {self._first} has {self.dtype}")

    def __contains__(self, node: Node) -> bool:
        return self._nodes.get(node.name) is node

    def input(self, name: str) -> Node:
        """A new input."""
        name = self._new(name)
        self._decider[name], self._channels[name] = name, None
        self._nodes[name] = node = Node(name, Operation())
        return node

    def add(self, operation: Operation, *inputs: Node, name: str | None = None) -> Node:
        """The new node that applies `operation` to the results of these; a name is made where none is given."""
        name = self._unused(operation.kind) if name is None else self._new(name)
        deciders = [self._decider[node.name] for node in inputs]
        wanted, channels = operation.channels(*(self._channels[decider] for decider in deciders))
        for decider, wants in zip(deciders, wanted, strict=False):
            given = self._channels[decider]
            if given is None and not self._nodes[decider].inputs:
                self._channels[decider] = wants  # an input has the channels that its first reader takes
            elif given is not None and wants is not None and given != wants:
                raise operation.channels_error(name, decider, given, wants)
        keeps = operation.keeps_channels and self._channels[deciders[0]] in (None, channels)
        self._decider[name] = deciders[0] if keeps else name
        self._channels.setdefault(self._decider[name], channels)
        self._nodes[name] = node = Node(name, operation, tuple(node.name for node in inputs))
        return node

    def channels(self, node: Node) -> int | None:
        """The channels of a node's result, None where they are not known before there is an x."""
        return self._channels[self._decider[node.name]]

    def include(self, graph: Graph, inputs: Sequence[Node], name: str) -> list[Node]:
        """The outputs of another graph on these; its nodes are called "name.node", an only one "name"."""
        graph.check_count(inputs)
        inner = dict(zip(graph.inputs, inputs, strict=True))
        for node in graph.nodes:
            sources = [inner[source] for source in node.inputs]
            full = f"{name}.{node.name}" if len(graph.nodes) > 1 else name
            inner[node.name] = self.add(node.operation, *sources, name=full)
        return [inner[output] for output in graph.outputs]

    @property
    def names(self) -> KeysView[str]:
        """Those of the nodes so far, inputs too."""
        return self._nodes.keys()

    def unread(self) -> list[Node]:
        """The nodes that nothing reads, but for inputs, in their order."""
        read = {name for node in self._nodes.values() for name in node.inputs}
        return [node for node in self._nodes.values() if node.inputs and node.name not in read]

    def graph(self, *outputs: Node) -> Graph:
        """The `Graph` of what the outputs need, those that are inputs copied."""
        outputs = tuple(
            node if node.inputs else Node(self._unused("identity"), Operation(), (node.name,)) for node in outputs
        )
        needed, nodes, inputs = {node.name for node in outputs}, list[Node](), list[str]()
        known = {**self._nodes, **{node.name: node for node in outputs}}
        for node in reversed(known.values()):
            if node.name in needed and node.inputs:
                needed.update(node.inputs)
                nodes.append(node)
            elif node.name in needed:
                inputs.append(node.name)
        names = tuple(node.name for node in outputs)
        return Graph(tuple(nodes[::-1]), names, self.layout, self.dtype, tuple(inputs[::-1]))

    def _new(self, name: object) -> str:
        if not isinstance(name, str) or not name:
            raise TypeError(f"name must be a string that is not empty, got {name!r}")
        if name in self._nodes:
            raise ValueError(f"name must be one of its own, got {name!r}, which another node has")
        return name

    def _unused(self, kind: str) -> str:
        """The kind itself, or numbered from 2."""
        while True:
            self._numbers[kind] += 1
            name = kind + str(self._numbers[kind]) * (self._numbers[kind] > 1)
            if name not in self._nodes:
                return name
