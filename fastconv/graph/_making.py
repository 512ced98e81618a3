"""A graph in the making, of which the methods of the operations are made."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastconv._checks import arguments, arrays
from fastconv._checks.types import Array, Layout
from fastconv._graph.builder import Builder
from fastconv._graph.graph import Node
from fastconv._graph.operations.operation import Operation


class Making:
    """The nodes so far; a subclass has a method for each operation of its family."""

    _builder: Builder
    x: Node

    @property
    def layout(self) -> Layout:
        """ "NHWC" or "NCHW"."""
        return self._builder.layout

    def _add(self, name: str | None, operation: Operation, **inputs: Node) -> Node:
        with arguments.named(name or operation.kind):
            hint = "; scale takes a number for each channel" if len(inputs) == 2 else ""
            nodes = [self._node(argument, node, hint) for argument, node in inputs.items()]
        return self._builder.add(operation, *nodes, name=name)

    @contextmanager
    def _vectors(
        self, name: str, needed: dict[str, Array[Any]], **others: Array[Any] | None
    ) -> Iterator[dict[str, Any]]:
        """Copies of checked vectors of a value for each channel, by argument, for a node of this name.

        None stays so among the others. Where the node is rejected the graph stays as it was.
        """
        given = needed | {argument: vector for argument, vector in others.items() if vector is not None}
        with self._builder.undone_where_it_fails():
            with arguments.named(name):
                vectors = {argument: arrays.array(argument, vector).copy() for argument, vector in given.items()}
                first, shape = next((argument, vector.shape) for argument, vector in vectors.items())
                if len(shape) != 1 or not shape[0]:
                    raise ValueError(f"{first} must have shape (C,), a value for each channel, got {shape}")
                for argument, vector in vectors.items():
                    if vector.shape != shape:
                        raise ValueError(f"{argument} must have shape {shape}, that of {first}, got {vector.shape}")
            for argument, vector in vectors.items():
                self._builder.take_dtype(f"{argument} of {name}", vector.dtype)
            yield dict.fromkeys(others) | vectors

    def _node(self, argument: str, value: object, hint: str = "") -> Node:
        """A node, checked; the hint is for who gives a number or an array."""
        if not isinstance(value, Node):
            hint = hint if isinstance(value, (int, float, np.number, np.ndarray)) else ""
            raise TypeError(f"{argument} must be a node of this graph, got {type(value).__name__}{hint}")
        if value not in self._builder:
            raise ValueError(f"{argument} must be a node of this graph, got {value.name!r} of another one")
        return value
