"""What every plan does: check the arrays, bind to their shape once, run."""

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fastconv._checks import arrays
from fastconv._checks.arguments import alone, kind, named, sizes
from fastconv._checks.types import Array, Layout, Shape
from fastconv._planning import layouts, teams

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fastconv._graph.costs import Cost
    from fastconv._graph.graph import Graph

    class Runs(Protocol):
        """What is bound to shapes of the inputs; `layout` is that of the arrays it takes."""

        @property
        def layout(self) -> Layout: ...
        def run(
            self, inputs: list[np.ndarray], outputs: list[tuple[np.ndarray, int]], times: np.ndarray | None = None
        ) -> None: ...

    Bound = tuple[Any, tuple[Shape, ...]]  # what runs, a `Runs`; the shapes of its results, as a user sees them


FLOAT32 = np.dtype(np.float32)  # what is told of a plan that takes x of either dtype
MOST_BOUND_SHAPES = 64  # kept in a plan; each holds about a kilobyte


class Plan(ABC):
    """The base of plans, each of a `fastconv._graph.graph.Graph`.

    A subclass has `_graph`, and `_bind_to(*shapes)`, what runs on inputs of these shapes.
    """

    _graph: "Graph"
    _bound: "dict[tuple[Shape, ...], Bound]"  # by the shapes of the inputs

    _whose_dtype = "weight"

    def __init__(self, dtype: np.dtype | None, layout: Layout, num_threads: int | None) -> None:
        self._dtype, self._layout, self._num_threads = dtype, layout, num_threads
        self._start_empty()

    @abstractmethod
    def _bind_to(self, *shapes: Shape) -> "Bound": ...

    def _start_empty(self) -> None:
        """Make what is made again in a copy."""
        self._bound = {}

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

    def _call(
        self, names: tuple[str, ...], given: tuple[Array[Any], ...], out: Any, times: np.ndarray | None = None
    ) -> Any:
        """The result for inputs of these names, a tuple of several results; it is `out` if that was given.

        To `times` the nanoseconds of each step of a graph are added.
        """
        dtype: Any = self._dtype  # which only a graph without weights does not know, whose plans of a dtype do
        layout, whose = self._layout, self._whose_dtype
        inputs = {name: arrays.check(name, x, dtype, None, whose) for name, x in zip(names, given, strict=True)}
        shapes = tuple([x.shape for x in inputs.values()])
        bound, results = self._bound.get(shapes) or self._bind(shapes)
        if len(results) == 1:
            outputs = [arrays.output("out", out, dtype, results[0], layout, inputs)]
        else:
            outputs = _outputs(out, dtype, results, layout, inputs)
        if bound.layout == layout:
            bound.run([arrays.contiguous(x, dtype) for x in inputs.values()], outputs, times)
        else:
            layouts.run_in_nhwc(
                lambda images: partial(
                    self._bind(tuple((images, *shape[-3:]) for shape in shapes))[0].run, times=times
                ),
                [*inputs.values()],
                [y for y, _ in outputs],
                self._num_threads,
            )
        return alone([y for y, _ in outputs]) if out is None else out

    def _bind(self, shapes: tuple[Shape, ...]) -> "Bound":
        bound = self._bound.get(shapes)
        if bound is None:
            bound = self._bind_to(*shapes)
            if len(self._bound) >= MOST_BOUND_SHAPES:
                self._bound.clear()
            bound = self._bound.setdefault(shapes, bound)
        return bound

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


def _outputs(
    out: Any, dtype: np.dtype, shapes: tuple[Shape, ...], layout: Layout, inputs: dict[str, Array[Any]]
) -> list[tuple[Array[Any], int]]:
    """What `arrays.output` gives for each of several results; none may share memory with another."""
    if out is not None and (not isinstance(out, tuple) or len(out) != len(shapes)):
        raise TypeError(f"out must be a tuple of {len(shapes)} arrays, got {kind(out)}")
    outputs, others = [], dict(inputs)
    for i, shape in enumerate(shapes):
        name = f"out[{i}]"
        outputs.append(
            arrays.output(name, None if out is None else arrays.check(name, out[i]), dtype, shape, layout, others)
        )
        others[name] = outputs[-1][0]
    return outputs
