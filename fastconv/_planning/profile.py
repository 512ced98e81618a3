"""Where the time of a graph goes: each step timed between the others, within whole runs."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from math import prod
from time import perf_counter, perf_counter_ns
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks import arrays
from fastconv._planning import machine
from fastconv._planning.call import call
from fastconv._planning.description import PAST_PEAK, figure, table

if TYPE_CHECKING:
    from fastconv._checks.types import Array, Shape
    from fastconv._graph.graph import Node
    from fastconv._planning.graph_plan import GraphPlan
    from fastconv._planning.steps.step import PreparedStep

_SECONDS, _MIN_RUNS, _MAX_RUNS = 1.0, 3, 101  # runs are repeated for so long, so often


@dataclass(frozen=True, slots=True)
class StepProfile:
    """What a step took: the mean of the faster half of the runs.

    Attributes
    ----------
    name, operation, algorithm : str
        Of the node that it computes, in the graph that runs; the algorithm of a convolution. "conv2d + swish" is a
        convolution that computes a function of its results.
    threads : int
        Those that share it.
    milliseconds : float
    macs, multiplications, bytes : int
        Multiply-accumulates; the multiplications really done; bytes of the inputs, the parameters and the result.
    gflops, gbytes : float
        2 · macs and bytes for a second of it, in 10⁹.
    share_of_peak : float
        The share that `gflops` is of the multiply-adds of as many threads, measured beside it, as in `describe`; 0
        where nothing is multiplied, or NumPy does it.
    """

    name: str
    operation: str
    algorithm: str
    threads: int
    milliseconds: float
    macs: int
    multiplications: int
    bytes: int
    gflops: float
    gbytes: float
    share_of_peak: float


@dataclass(frozen=True, slots=True)
class Profile:
    """The steps of a graph in running order, over which it iterates; prints as a table.

    Attributes
    ----------
    steps : tuple of StepProfile
    milliseconds : float
        Of a whole call, as of each step the mean of the faster half of the runs; what it has beside `sum_milliseconds`
        are checks, a conversion of the layout and what the clock takes.
    runs : int
        All of them.
    """

    steps: tuple[StepProfile, ...]
    milliseconds: float
    runs: int

    def __iter__(self) -> Iterator[StepProfile]:
        return iter(self.steps)

    @property
    def sum_milliseconds(self) -> float:
        """Of all steps."""
        return sum(step.milliseconds for step in self.steps)

    def records(self) -> list[dict[str, Any]]:
        """A dictionary for each step, for `json` and `pandas.DataFrame`."""
        return [asdict(step) for step in self.steps]

    def __str__(self) -> str:
        rows = [["step", "operation", "algorithm", "threads", "ms", "of all", "GFLOP/s", "GB/s", "of peak"]]
        whole = self.sum_milliseconds or 1.0
        for s in self.steps:
            share = f"{s.milliseconds / whole:.1%}"
            gflops, peak = (figure(s.gflops) if s.macs else ""), (f"{s.share_of_peak:.1%}" if s.share_of_peak else "")
            speeds = [gflops, figure(s.gbytes), peak]
            rows.append([s.name, s.operation, s.algorithm, str(s.threads), figure(s.milliseconds), share, *speeds])
        lines = table(rows)
        if any(step.share_of_peak > 1 and step.multiplications < step.macs for step in self.steps):
            lines.append(f"shares of the peak above 100% are {PAST_PEAK}")
        ends = f"{self.sum_milliseconds:.4g} ms in the steps, {self.milliseconds:.4g} ms in all, in {self.runs} runs"
        return "\n".join([*lines, ends])


def profile(plan: "GraphPlan", given: "tuple[Array[Any], ...]") -> Profile:
    """The `Profile` of a plan whose dtype is known."""
    given = tuple(arrays.check(name, x) for name, x in zip(plan.inputs, given, strict=True))
    out = call(plan, plan.inputs, given, None)
    steps, shapes = steps_for(plan, *(x.shape for x in given))
    if not shapes[plan.inputs[0]][0]:
        raise ValueError(f"{plan.inputs[0]} must have an image at least to be profiled")

    def run() -> list[int]:
        times = np.zeros(len(steps), np.int64)
        call(plan, plan.inputs, given, out, times)
        return times.tolist()

    whole, each, runs = measured(run)
    return Profile(tuple(told(steps, shapes, each, given[0].itemsize, Peaks())), whole / 1e6, runs)


def steps_for(plan: "GraphPlan", *given: "Shape") -> "tuple[list[tuple[Node, PreparedStep]], dict[str, Shape]]":
    """(what runs for inputs of these shapes, in order, the NHWC shapes of all nodes)."""
    _, prepared = plan._bind_named(*given)
    shapes = plan._rewritten.shapes(*prepared.shapes)
    return plan._bind_nodes(shapes), shapes


def measured(run: Callable[[], list[int]]) -> tuple[float, list[float], int]:
    """(nanoseconds of a whole run, those of each step, which `run` gives, how many runs there were)."""
    runs, end = list[list[int]](), perf_counter() + _SECONDS
    while len(runs) < _MIN_RUNS or (len(runs) < _MAX_RUNS and perf_counter() < end):
        start = perf_counter_ns()
        times = run()
        runs.append([perf_counter_ns() - start, *times])
    # Another program slows some of the runs; means of the others add up, as medians of each step would not.
    whole, *each = np.maximum(np.mean(sorted(runs)[: (len(runs) + 1) // 2], 0), 1).tolist()
    return whole, each, len(runs)


class Peaks(dict[int, float]):
    """{threads: 10⁹ FLOP/s of float32 multiply-adds by as many}, measured when it is first asked for."""

    def __missing__(self, threads: int) -> float:
        self[threads] = max(machine.fma_gflops(threads))
        return self[threads]

    def share(self, gflops: float, threads: int, itemsize: int) -> float:
        """Which share so many FLOP/s, of values of this size, are of what as many threads can do."""
        return gflops * itemsize / 4 / self[threads]


def told(
    steps: "list[tuple[Node, PreparedStep]]", shapes: "dict[str, Shape]", each: list[float], itemsize: int, peaks: Peaks
) -> Iterator[StepProfile]:
    """The `StepProfile` of each step that took these nanoseconds."""
    parts = [step.describe() for _, step in steps]
    for (node, _), part, ns in zip(steps, parts, each, strict=True):
        values = sum(prod(shapes[name]) for name in (*node.inputs, node.name)) + node.operation.params
        gflops, nbytes = 2 * part.macs / ns, values * itemsize
        names = node.name, node.operation.whole_kind, part.algorithm if part.macs else ""
        share = peaks.share(gflops, part.threads, itemsize) if part.macs else 0.0
        counts = part.macs, part.multiplications, nbytes
        yield StepProfile(*names, part.threads, ns / 1e6, *counts, gflops, nbytes / ns, share)
