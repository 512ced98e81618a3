"""What runs, one step after the other: a plan of fastconv, or a node by NumPy."""

from collections.abc import Callable, Iterator
from math import prod
from time import perf_counter_ns
from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv._planning import teams
from fastconv._planning.call import call, call_one
from fastconv._planning.graph_plan import GraphPlan
from fastconv._runners.shaping import transpose
from fastconv.onnx import _budget
from fastconv.onnx._program import Node
from fastconv.onnx._segments import Segment
from fastconv.onnx._values import Map, into_map, out_of_map

Values = dict[str, Any]  # the tensors of a run by name
Evaluate = Callable[..., list[Any]]


class NativeStep:
    """A plan of fastconv, which reads and writes tensors; views and copies of them are maps."""

    def __init__(self, segment: Segment, plan: GraphPlan | None, num_threads: int | None) -> None:
        self.plan, self._num_threads = plan, num_threads
        self.level = segment.level
        self._outputs: list[Map] = [*segment.outputs.values()]
        self.frees: tuple[str, ...] = ()
        needed = {*(plan.inputs if plan else ()), *(value.node for value in self._outputs)}
        self.reads = {name: source for name, source in segment.inputs.items() if name in needed}
        self.constants = {name: array for name, array in segment.constants.items() if name in needed}
        self._given, names = (plan.inputs, plan.outputs) if plan else ((), ())
        self._is_alone = len(names) == 1
        self._written = [(value, names.index(value.node) if value.node in names else None) for value in self._outputs]

    @property
    def inputs(self) -> list[str]:
        """The tensors that it reads."""
        return [tensor for tensor, _ in self.reads.values()]

    @property
    def outputs(self) -> list[str]:
        return [value.name for value in self._outputs]

    def run(self, values: Values, times: np.ndarray | None = None) -> int:
        """Write its tensors to `values`; returns the nanoseconds of conversions if the steps are timed. Those of the
        steps are added to `times`.
        """
        start = 0 if times is None else perf_counter_ns()
        given = [contiguous(self._entered(name, values), self._num_threads) for name in self._given]
        converting = 0 if times is None else perf_counter_ns() - start
        if self.plan is None:
            results: Any = ()
        elif times is None and len(given) == 1:
            results = call_one(self.plan, self.plan.inputs, given[0], None)
        else:
            results = call(self.plan, self.plan.inputs, tuple(given), None, times)
        for value, i in self._written:
            y = self._entered(value.node, values) if i is None else results if self._is_alone else results[i]
            values[value.name] = out_of_map(y.reshape(value.nhwc), value.axes)
        return converting

    def _entered(self, name: str, values: Values) -> np.ndarray:
        """What an input of its graph is."""
        source = self.reads.get(name)
        return self.constants[name] if source is None else into_map(values[source[0]], source[1])

    @property
    def dtype(self) -> np.dtype:
        """That of its maps."""
        return self._outputs[0].dtype

    def is_turning(self, shapes: dict[str, Shape]) -> bool:
        """Whether a contiguous tensor that its plan reads is converted."""
        reads = [self.reads[name] for name in (self.plan.inputs if self.plan else ()) if name in self.reads]
        return any(
            axes.startswith("NC") and shapes[tensor][1] > 1 and prod(shapes[tensor][2:]) > 1 for tensor, axes in reads
        )

    def shapes(self, shapes: dict[str, Shape]) -> tuple[Shape, ...]:
        """Those of the inputs of the plan, of tensors of these shapes."""
        assert self.plan is not None
        found = {name: array.shape for name, array in self.constants.items()}
        for name, (tensor, axes) in self.reads.items():
            found[name] = into_map(_placeholder(shapes[tensor]), axes).shape
        return tuple(found[name] for name in self.plan.inputs)


class NodeStep:
    """A node of the model that no plan has, by NumPy; `how` says by whose code."""

    def __init__(
        self, node: Node, how: str, evaluate: Evaluate, inputs: list[Any], level: int, max_bytes: int = 0
    ) -> None:
        self.node, self.how, self.level = node, how, level
        self._max_bytes = max_bytes  # of a result whose size depends on values of a call; 0 where none does
        self._evaluate, self.sources = evaluate, inputs  # arrays, None, or the names of tensors
        self.outputs = [name for name in node.outputs if name]
        self.frees: tuple[str, ...] = ()
        self._function: Callable[[np.ndarray], list[np.ndarray]] | None = None  # of its first input alone

    def becomes(self, function: Callable[[np.ndarray], list[np.ndarray]]) -> None:
        """From now on it is a function of its first input alone, which gives all of its results."""
        self._function = function

    @property
    def threads(self) -> int:
        """Those that share it, once it has run; 1 where they are not known, as NumPy's."""
        return getattr(self._evaluate, "threads", 1)

    @property
    def packed_bytes(self) -> int:
        """What is kept beside the weights of the file."""
        return getattr(self._evaluate, "packed_bytes", 0)

    @property
    def inputs(self) -> list[str]:
        return [name for name in self.sources if isinstance(name, str)]

    @property
    def constants(self) -> list[np.ndarray]:
        """The constants that it reads."""
        return [one for one in self.sources if isinstance(one, np.ndarray)]

    def run(self, values: Values, times: np.ndarray | None = None) -> int:
        """Write its results to `values`; it converts nothing. NumPy's warnings are the caller's."""
        if self._function is not None:
            try:
                results = self._function(values[self.sources[0]])
            except Exception:
                with self.node.named():
                    raise
            for name, y in zip(self.outputs, results, strict=True):
                values[name] = y
            return 0
        given = [values[one] if isinstance(one, str) else one for one in self.sources]
        try:
            if self._max_bytes:
                _budget.check(self.node, given, self._max_bytes)
            results = self._evaluate(self.node, *given)
        except Exception:
            with self.node.named():
                raise
        for name, y in zip(self.node.outputs, results, strict=False):
            if name:
                values[name] = y
        return 0


Step = NativeStep | NodeStep


def contiguous(view: np.ndarray, num_threads: int | None) -> np.ndarray:
    """The array, or a contiguous copy, by fastconv's kernels of a transposed map, of sequences too."""
    if view.flags.c_contiguous:
        return view
    if view.ndim == 3:
        return contiguous(view[:, :, None], num_threads)[:, :, 0]
    if view.ndim == 4 and view.dtype in (np.float32, np.float64) and view.flags.aligned and view.size:
        _, _, height, width = view.shape
        for order, rows in (((0, 3, 1, 2), width), ((0, 2, 3, 1), height * width)):  # into a map, out of a map
            source = view.transpose(order)
            if source.flags.c_contiguous:
                copy = np.empty(view.shape, view.dtype)
                transpose(source, copy, rows, teams.moving_team(num_threads, view.size))
                return copy
    return np.ascontiguousarray(view)


def _placeholder(shape: Shape) -> np.ndarray:
    return np.broadcast_to(np.empty((), np.float32), shape)


def given_back(steps: list[Step], kept: set[str]) -> Iterator[tuple[Step, tuple[str, ...]]]:
    """(step, the tensors that nothing reads after it), the last step first; `kept` are read at the end."""
    read = set(kept)
    for step in reversed(steps):
        last = {*step.inputs, *step.outputs} - read
        read |= last
        yield step, tuple(last)
