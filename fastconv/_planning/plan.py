"""What every plan does: check the arrays, bind to their shape once, run."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks.arguments import named, sizes
from fastconv._checks.types import Layout, Shape
from fastconv._planning import teams

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fastconv._graph.costs import Cost
    from fastconv._graph.graph import Graph

    # What runs on inputs of some shapes, with `layout`, that of the arrays it takes, and `run(inputs, outputs, times)`;
    # the shapes of its results, as a user sees them.
    Prepared = tuple[Any, tuple[Shape, ...]]


FLOAT32 = np.dtype(np.float32)  # what is told of a plan that takes x of either dtype
MAX_PREPARED_SHAPES = 64  # kept in a plan; each holds about a kilobyte


class Plan(ABC):
    """The base of plans, each of a `fastconv._graph.graph.Graph`.

    A subclass has `_graph`, and `_bind_to(*shapes)`, what runs on inputs of these shapes.
    """

    _graph: "Graph"
    _prepared: "dict[tuple[Shape, ...], Prepared]"  # by the shapes of the inputs

    _whose_dtype = "weight"
    _made_again: tuple[str, ...] = ("_prepared", "_known")  # in a copy, by `_start_empty`

    def __init__(self, dtype: np.dtype | None, layout: Layout, num_threads: int | None) -> None:
        self._dtype, self._layout, self._num_threads = dtype, layout, num_threads
        self._start_empty()

    @abstractmethod
    def _bind_to(self, *shapes: Shape) -> "Prepared": ...

    def _start_empty(self) -> None:
        """Make what is made again in a copy."""
        self._prepared = {}
        self._known: Any = None  # of the last call, what makes the next one short: see call.pyx

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self._made_again}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start_empty()

    @property
    def num_threads(self) -> int:
        """The largest team, for the calling thread now."""
        return teams.now(self._num_threads)

    @property
    def layout(self) -> Layout:
        """ "NHWC" or "NCHW"."""
        return self._layout

    def cost(self, x_shape: Shape, *others: Shape) -> "Cost":
        """The exact `fastconv.cost.Cost` of a call on inputs of these shapes."""
        graph = self._graph
        with shapes_of(graph.inputs):
            return graph.cost(x_shape, *others, itemsize=(self._dtype or FLOAT32).itemsize)

    def _bind(self, shapes: tuple[Shape, ...]) -> "Prepared":
        prepared = self._prepared.get(shapes)
        if prepared is None:
            prepared = self._bind_to(*shapes)
            if len(self._prepared) >= MAX_PREPARED_SHAPES:
                self._prepared.clear()
            prepared = self._prepared.setdefault(shapes, prepared)
        return prepared

    def _bind_named(self, *shapes: Shape) -> tuple[tuple[Shape, ...], Any]:
        """(the shapes as tuples of integers, what runs on inputs of them), where they are arguments."""
        graph = self._graph
        with shapes_of(graph.inputs):
            graph.check_count(shapes)
            shapes = tuple(sizes(name, shape) for name, shape in zip(graph.inputs, shapes, strict=True))
            return shapes, self._bind(shapes)[0]


def shapes_of(names: tuple[str, ...]) -> "AbstractContextManager[None]":
    """The context that names the arguments, shapes of these inputs, before the message of an error."""
    return named(", ".join(f"{name}_shape" for name in names))
