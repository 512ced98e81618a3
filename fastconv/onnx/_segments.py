"""Segments: the nodes that become one graph of fastconv, which runs from its first step to its last without Python."""

import sys
from collections import Counter
from collections.abc import Mapping
from operator import is_not
from typing import Any

import numpy as np

from fastconv._checks.types import Accuracy
from fastconv._graph.graph import Graph
from fastconv._graph.graph import Node as GraphNode
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.transposed import ConvTranspose
from fastconv._planning.graph_plan import GraphPlan
from fastconv.onnx._program import Node
from fastconv.onnx._values import Map

_MAX_KEPT = 256  # plans and convolutions; those of other shapes are mostly the same


class Segment:
    """A graph in the making, on maps of one batch size and dtype; it reads what is there after lower levels."""

    def __init__(self, level: int, dtype: np.dtype) -> None:
        self.level, self.dtype = level, dtype
        self.inputs: dict[str, tuple[str, str]] = {}  # {node: (tensor, its axes)}
        self.constants: dict[str, np.ndarray] = {}  # {node: a map that each run reads}
        self.outputs: dict[str, Map] = {}  # {tensor: what it is here}
        self.nodes: dict[str, GraphNode] = {}
        self._entered: dict[tuple[str, str], str] = {}  # {(tensor, its axes): node}
        self._repeated = Counter[str]()  # names of nodes

    def entrance(self, value: Map) -> str:
        """The node of this segment that has a value: its own, or the input that reads it."""
        if value.segment is self:
            return value.node
        if value.segment is not None:
            value.segment.leave(value)
        key = value.name, value.axes
        if key not in self._entered:
            self._entered[key] = name = self._unused(value.name)
            self.inputs[name] = key
        return self._entered[key]

    def node_of(self, value: Map) -> str | None:
        """The node that has a value here already."""
        return value.node if value.segment is self else self._entered.get((value.name, value.axes))

    def add(self, label: str, operation: Operation, inputs: tuple[str, ...]) -> str:
        """The new node of an operation."""
        name = self._unused(label)
        self.nodes[name] = GraphNode(name, operation, inputs)
        return name

    def constant(self, array: np.ndarray) -> str:
        """The node that stands for a map of constants."""
        name = self._unused("constant")
        self.constants[name] = array
        return name

    def leave(self, value: Map) -> None:
        """Have a value as a tensor after a run."""
        self.outputs[value.name] = value

    def operation(self, value: Any) -> tuple[Operation | None, tuple[str, ...]]:
        """(the operation of a value that is computed here, the nodes that it reads)."""
        node = self.nodes.get(value.node) if isinstance(value, Map) and value.segment is self else None
        return (node.operation, node.inputs) if node else (None, ())

    def graph(self) -> Graph | None:
        """The graph of what leaves; None where that are inputs alone."""
        outputs = tuple(dict.fromkeys(value.node for value in self.outputs.values() if value.node in self.nodes))
        needed, nodes = set(outputs), list[GraphNode]()
        for node in reversed(self.nodes.values()):
            if node.name in needed:
                needed.update(node.inputs)
                nodes.append(node)
        inputs = tuple(name for name in (*self.inputs, *self.constants) if name in needed)
        return Graph(tuple(nodes[::-1]), outputs, "NHWC", self.dtype, inputs) if outputs else None

    def _unused(self, name: str) -> str:
        unused = name
        while unused in self.nodes or unused in self.inputs or unused in self.constants:
            self._repeated[name] += 1
            unused = f"{name}'{self._repeated[name] if self._repeated[name] > 1 else ''}"
        return unused


class Kept:
    """What a model keeps for other shapes: operations with weights, and plans, which have packed them.

    What it has not is taken from `before`, where that was kept for other weights.
    """

    def __init__(
        self,
        num_threads: int | None,
        accuracy: Accuracy,
        max_bytes: int = sys.maxsize,
        before: "Kept | None" = None,
    ) -> None:
        self.num_threads, self.accuracy, self.max_bytes, self.before = num_threads, accuracy, max_bytes, before
        self._operations: dict[Any, tuple[tuple[Any, ...], Operation]] = {}
        self._plans: dict[Any, GraphPlan] = {}

    def operation(self, node: Node, arrays: tuple[Any, ...], make: Any, *others: Any) -> Operation:
        """The operation that was made of the same arrays for such a node, or what `make` makes now.

        It follows from these arrays, what the node says, and `others`. Nodes that read the same arrays have one, whose
        weights are packed once.
        """
        key = node.kind, _likeness((node.attributes, others)), node.label, node.outputs
        known, operation = self._operations.get(key, ((), None))
        if operation is None or not _are_same(known, arrays):
            operation = self._twin(key[:2], arrays)
            if operation is None:
                before = self.before
                operation = make() if before is None else before.operation(node, arrays, make, *others)
            _room(self._operations)
            self._operations[key] = arrays, operation
        return operation

    def _twin(self, told: tuple[Any, ...], arrays: tuple[Any, ...]) -> Operation | None:
        """The operation of another node that says the same and reads the same arrays."""
        for key, (known, operation) in self._operations.copy().items():  # to which other threads may add
            if _are_same(known, arrays) and key[:2] == told:
                return operation
        return None

    def plan(self, graph: Graph) -> GraphPlan:
        """The plan of a graph, or that of an equal one."""
        nodes = tuple((node.name, _likeness(node.operation), node.inputs) for node in graph.nodes)
        key = nodes, graph.outputs, graph.inputs, graph.dtype
        made = self._plans.get(key)
        if made is None:
            _room(self._plans)
            before = self.before
            made = GraphPlan(graph, self.num_threads, accuracy=self.accuracy) if before is None else before.plan(graph)
            made = self._plans.setdefault(key, made)
        return made


def _are_same(some: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    return len(some) == len(others) and not any(map(is_not, some, others))


def _room(kept: dict[Any, Any]) -> None:
    """Have room for one more; another thread may make it too."""
    while len(keys := [*kept]) >= _MAX_KEPT:
        kept.pop(keys[0], None)


def _likeness(value: Any) -> Any:
    """What is equal for values that are the same: of arrays all values, of an operation with weights itself, since
    `Kept` has one for the same arrays.
    """
    if isinstance(value, Conv | ConvTranspose):
        return value
    if isinstance(value, Operation):
        return type(value), _likeness(vars(value))
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, Mapping):
        return tuple((name, _likeness(value[name])) for name in sorted(value))
    if isinstance(value, tuple | list):
        return tuple(map(_likeness, value))
    return type(value), repr(value)  # 2 == 2.0 == True, 0.0 == -0.0, nan != nan
