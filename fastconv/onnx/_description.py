"""What a model tells of itself: the steps of a stage and their cost."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv._graph.costs import Cost
from fastconv._kernels import cpu
from fastconv._planning.description import Description, GraphDescription
from fastconv.onnx._stage import Stage
from fastconv.onnx._steps import NodeStep
from fastconv.onnx._values import Tensor

_COUNTED = "Attention", "Conv", "ConvTranspose", "GRU", "Gemm", "LSTM", "MatMul", "RNN"


def description(stage: Stage, measure: bool) -> GraphDescription:
    """The steps by name; the scratch memory is that of the graph that takes most."""
    shapes, parts, graphs = stage.shapes, dict[str, Description](), list[GraphDescription]()
    converted, in_file = list[str](), names_in_file(stage.known)
    for step in stage.steps:
        if isinstance(step, NodeStep):
            counts = dict.fromkeys(("macs", "multiplications"), macs(step, shapes))
            parts[step.node.label] = Description(
                algorithm=step.how,
                accuracy=None,
                tile="",
                isa=cpu.active() if step.how == "direct" else "",
                threads=step.threads,
                **counts,
                additions=None,
                packed_bytes=step.packed_bytes,
                workspace_bytes=0,
                layout_conversion="none",
            )
        elif step.plan is not None:
            graphs.append(step.plan.describe(*step.shapes(shapes), measure=measure))
            parts.update(graphs[-1].parts)
            turned = [name for name, axes in step.reads.values() if _is_turned(shapes[name], axes)]
            converted += [in_file.get(name, name) for name in turned]
    converted += [name for name in stage.outputs if is_turned_result(stage.known[name])]
    most = max(graphs, key=lambda one: one.scratch_bytes, default=None)
    scratch = (0, 0, 0) if most is None else (most.array_bytes, most.alive_bytes, most.workspace_bytes)
    names = ", ".join(dict.fromkeys(converted))
    return GraphDescription(parts, *scratch, 0, f"NCHW ↔ NHWC of {names}" if names else "none")


def names_in_file(known: Mapping[str, Any]) -> dict[str, str]:
    """{name of a tensor of a run: its name in the file}, the first where it has several."""
    return {value.name: name for name, value in reversed([*known.items()]) if isinstance(value, Tensor)}


def _is_turned(shape: Shape, axes: str) -> bool:
    """Whether a contiguous tensor with these axes has another order as a map."""
    sizes = dict(zip(axes, shape, strict=True))
    return axes.startswith("NC") and sizes["C"] > 1 and prod(shape[2:]) > 1


def is_turned_result(value: Any) -> bool:
    """Whether a result leaves a graph in another order than it has there."""
    axes = getattr(value, "axes", "")
    return bool(axes) and _is_turned(value.shape, axes)


def cost(stage: Stage, inputs: Sequence[str], outputs: Sequence[str]) -> Cost:
    """Exact counts; bytes are those of the inputs, the results and the parameters once."""
    shapes, total, params, nbytes = stage.shapes, 0, 0, 0
    for step in stage.steps:
        if isinstance(step, NodeStep):
            total += macs(step, shapes)
            arrays = [one for one in step.constants if one.dtype.kind == "f" and one.size > 1]
            params += sum(one.size for one in arrays)
            nbytes += sum(one.nbytes for one in arrays)
        elif step.plan is not None:
            counted = step.plan.cost(*step.shapes(shapes))
            own = counted.params + sum(array[:1].size for array in step.constants.values())  # the same for all images
            total, params = total + counted.macs, params + own
            nbytes += own * (step.plan.dtype or np.dtype(np.float32)).itemsize
    for name in (*inputs, *outputs):
        value = stage.known[name]
        if isinstance(value, Tensor):
            nbytes += prod(value.shape) * value.dtype.itemsize
    return Cost(total, params, nbytes)


def macs(step: NodeStep, shapes: dict[str, Shape]) -> int:
    """The multiply-accumulates of a node that NumPy computes, where it is a convolution, a product or recurrent."""
    (out, *_), kind = step.outputs, step.node.kind
    if out not in shapes or kind not in _COUNTED:  # a view reads a map that may have no name in the file, and no shape
        return 0
    read = [shapes[one] if isinstance(one, str) else np.shape(one) for one in step.sources]
    if kind == "Attention":
        return prod(shapes[out][:-1]) * read[1][-1] * (read[0][-1] + read[2][-1]) if step.how == "direct" else 0
    if kind in ("GRU", "LSTM", "RNN"):
        return prod(read[0][:2]) * (prod(read[1]) + prod(read[2]))
    if kind == "Conv":
        return prod(shapes[out]) * prod(read[1][1:])
    if kind == "ConvTranspose":
        return prod(read[0]) * prod(read[1][1:])
    inner = read[0][0 if kind == "Gemm" and step.node.attributes["transA"] else -1]
    return prod(shapes[out]) * inner
