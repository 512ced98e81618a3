"""Where the time of a model goes: each step within whole runs, and what its 1×1 convolutions save."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv._planning.description import figure, table
from fastconv._planning.profile import Peaks, Profile, StepProfile, measured, steps_for, told
from fastconv.onnx import _description
from fastconv.onnx._pointwise import Pointwise, pointwise
from fastconv.onnx._steps import NativeStep, NodeStep, Step, Values

if TYPE_CHECKING:
    from fastconv.onnx._model import Model

_KERNELS = "direct", "blas"  # how a step runs whose threads are known
_Sizes = dict[str, tuple[Shape, int]]


@dataclass(frozen=True, slots=True)
class ModelProfile(Profile):
    """The steps of a model in running order, over which it iterates; prints as tables.

    A step by NumPy has its operator as `operation`, and "NumPy" or "onnx.reference" as `algorithm`; "layout" is the
    conversion of what a graph reads, or of the results. An LSTM or a GRU has one thread, though more may share the
    product with its inputs.

    Attributes
    ----------
    steps, milliseconds, runs
        As in the profile of a graph.
    pointwise : tuple of Pointwise
        The 1×1 convolutions that reduce or restore the channels around larger ones.
    """

    pointwise: tuple[Pointwise, ...] = ()

    def kinds(self) -> dict[str, tuple[int, float, int]]:
        """{operation: (steps, milliseconds, MACs)}, that which takes longest first."""
        found: dict[str, list[StepProfile]] = defaultdict(list)
        for step in self.steps:
            found[step.operation].append(step)
        totals = {
            kind: (len(steps), sum(step.milliseconds for step in steps), sum(step.macs for step in steps))
            for kind, steps in found.items()
        }
        return dict(sorted(totals.items(), key=lambda one: -one[1][1]))

    @property
    def numpy_share(self) -> float:
        """The share of the time that steps by NumPy take."""
        by_numpy = sum(
            step.milliseconds for step in self.steps if step.algorithm in ("NumPy", "onnx.reference", "late")
        )
        return by_numpy / (self.sum_milliseconds or 1.0)

    def document(self) -> dict[str, Any]:
        """All of it as what `json` writes."""
        return {
            "milliseconds": self.milliseconds,
            "runs": self.runs,
            "numpy_share": self.numpy_share,
            "steps": self.records(),
            "kinds": [
                {"operation": kind, "steps": steps, "milliseconds": milliseconds, "macs": macs}
                for kind, (steps, milliseconds, macs) in self.kinds().items()
            ],
            "pointwise": [asdict(one) for one in self.pointwise],
        }

    def __str__(self) -> str:
        whole = self.sum_milliseconds or 1.0
        rows = [["operation", "steps", "ms", "of all", "MACs"]]
        rows += [
            [kind, str(steps), figure(milliseconds), f"{milliseconds / whole:.1%}", f"{macs:,}" if macs else ""]
            for kind, (steps, milliseconds, macs) in self.kinds().items()
        ]
        lines = [Profile.__str__(self), "", *table(rows), f"steps by NumPy: {self.numpy_share:.1%} of the time"]
        if self.pointwise:
            rows = [["1×1", "what it does", "around", "MACs", "without it", "ms", "without it (estimated)"]]
            rows += [
                [
                    one.name,
                    one.role,
                    ", ".join(one.around),
                    f"{one.macs:,}",
                    f"{one.macs_without:,}",
                    figure(one.milliseconds),
                    figure(one.milliseconds_without),
                ]
                for one in self.pointwise
            ]
            lines += ["", *table(rows)]
        else:
            lines.append("no 1×1 reduces or restores the channels around a larger convolution")
        return "\n".join(lines)


def profile(model: "Model", feeds: Mapping[str, Any]) -> ModelProfile:
    """The `ModelProfile` of a call on checked inputs."""
    steps = list[Step]()
    sizes = _sizes(feeds)  # a model may have no step

    def learn(step: Step, values: Values) -> None:
        steps.append(step)
        step.run(values)
        sizes.update(_sizes(values))

    values = dict(feeds)
    known = model.run(feeds, values, watch=learn)
    shapes = {name: shape for name, (shape, _) in sizes.items()}
    plans = {
        i: steps_for(step.plan, *step.shapes(shapes))
        for i, step in enumerate(steps)
        if isinstance(step, NativeStep) and step.plan is not None
    }

    def run() -> list[int]:
        times, values = list[int](), dict(feeds)

        def watch(step: Step, values: Values) -> None:
            inside = np.zeros(len(plans.get(len(taken), ((),))[0]), np.int64)
            start = perf_counter_ns()
            converting = step.run(values, inside)
            whole = perf_counter_ns() - start
            taken.append(0)
            times.extend([converting, *inside.tolist()] if isinstance(step, NativeStep) else [whole])

        taken = list[int]()
        known = model.run(feeds, values, watch=watch)
        start = perf_counter_ns()
        model.results(known, values, feeds)
        return [*times, perf_counter_ns() - start]

    in_file = _description.names_in_file(known)
    whole, each, runs = measured(run)
    found, inner, left, peaks = list[StepProfile](), list[list[StepProfile]](), iter(each), Peaks()
    for i, step in enumerate(steps):
        nbytes = sum(sizes[name][1] for name in (*step.inputs, *step.outputs) if name in sizes)
        if isinstance(step, NodeStep):
            found.append(_of_node(step, next(left), _description.macs(step, shapes), nbytes, sizes, peaks))
            continue
        converting = next(left)
        if step.is_turning(shapes):
            names = ", ".join(in_file.get(name, name) for name in step.inputs)
            found.append(_layout(names, converting, 2 * nbytes))
        if i in plans:
            nodes, inside = plans[i]
            itemsize = step.dtype.itemsize
            inner.append([*told(nodes, inside, [next(left) for _ in nodes], itemsize, peaks)])
            found += inner[-1]
    turned = [name for name in model.outputs if _description.is_turned_result(known[name])]
    if turned:
        nbytes = 2 * sum(sizes[known[name].name][1] for name in turned)
        found.append(_layout(", ".join(turned), next(left), nbytes))
    graphs = [step.plan for step in steps if isinstance(step, NativeStep) and step.plan is not None]
    saved = [one for plan, parts in zip(graphs, inner, strict=True) for one in pointwise(plan._rewritten, parts)]
    return ModelProfile(tuple(found), whole / 1e6, runs, tuple(saved))


def _sizes(values: Mapping[str, Any]) -> _Sizes:
    """{name: (shape, bytes)} of the arrays."""
    return {name: (value.shape, value.nbytes) for name, value in values.items() if hasattr(value, "nbytes")}


def _layout(names: str, ns: float, nbytes: int) -> StepProfile:
    """That of a conversion."""
    return StepProfile(names, "layout", "", 1, ns / 1e6, 0, 0, nbytes, 0.0, nbytes / ns, share_of_peak=0.0)


def _of_node(step: NodeStep, ns: float, macs: int, nbytes: int, sizes: _Sizes, peaks: Peaks) -> StepProfile:
    """That of a node that is in no graph."""
    names, gflops, share = (step.node.label, step.node.kind, step.how), 2 * macs / ns, 0.0
    if macs and step.how in _KERNELS:
        shape, result_bytes = sizes[step.outputs[0]]
        share = peaks.share(gflops, step.threads, result_bytes // prod(shape))
    return StepProfile(*names, step.threads, ns / 1e6, macs, macs, nbytes, gflops, nbytes / ns, share)
