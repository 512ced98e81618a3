"""`interpolate` in a trace of dynamo's, as one operator.

PyTorch takes it apart into sums of picked pixels where it traces. So it is called by an operator of fastconv's own
meanwhile, in whose place PyTorch's stands again in the trace.
"""

from collections.abc import Sequence
from math import floor
from typing import Any

import torch
from torch import fx
from torch.nn import functional

_aten = torch.ops.aten
_CALLED = functional.interpolate, functional.upsample  # which dynamo has as they are
_OPERATORS = {
    "nearest1d": _aten.upsample_nearest1d.default,
    "nearest2d": _aten.upsample_nearest2d.default,
    "linear1d": _aten.upsample_linear1d.default,
    "bilinear2d": _aten.upsample_bilinear2d.default,
    "bicubic2d": _aten.upsample_bicubic2d.default,
    "nearest3d": _aten.upsample_nearest3d.default,
    "trilinear3d": _aten.upsample_trilinear3d.default,
    "nearest-exact1d": _aten._upsample_nearest_exact1d.default,
    "nearest-exact2d": _aten._upsample_nearest_exact2d.default,
    "nearest-exact3d": _aten._upsample_nearest_exact3d.default,
}


def _call(x: Any, name: str, size: Any, aligned: bool, factors: Any) -> tuple[Any, tuple[Any, ...]]:
    """(PyTorch's operator, its arguments)."""
    others = () if name.startswith("nearest") else (aligned,)
    return _OPERATORS[name], (x, size, *others, *(factors or [None] * len(size)))


def _run(
    x: torch.Tensor, name: str, size: Sequence[int], aligned: bool, factors: Sequence[float] | None
) -> torch.Tensor:
    target, args = _call(x, name, size, aligned, factors)
    return target(*args)


_resized: Any = torch.library.custom_op("fastconv::resized", _run, mutates_args=())
_resized.register_fake(_run)


def interpolate(
    x: torch.Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> torch.Tensor:
    """`functional.interpolate`, of arguments that dynamo has found right."""
    axes = x.dim() - 2
    name = f"{mode}{axes}d"
    if name not in _OPERATORS or antialias:
        options = align_corners, recompute_scale_factor, antialias
        return functional.interpolate(x, size, scale_factor, mode, *options)
    factors = None
    if size is not None:
        sizes = [*size] if isinstance(size, list | tuple) else [size] * axes
    else:
        factors = (
            [*map(float, scale_factor)] if isinstance(scale_factor, list | tuple) else [float(scale_factor)] * axes
        )
        sizes = [floor(n * factor) for n, factor in zip(x.shape[2:], factors, strict=True)]
    return _resized(x, name, sizes, bool(align_corners), None if recompute_scale_factor else factors)


def whole(module: fx.GraphModule) -> fx.GraphModule:
    """The module, or one in which PyTorch traces these operators as they are."""
    if not any(node.target in _CALLED for node in module.graph.nodes):
        return module
    copy = fx.GraphModule(module, fx.Graph())
    copy.graph.output(copy.graph.graph_copy(module.graph, {}))
    for node in copy.graph.nodes:
        if node.target in _CALLED:
            node.target = interpolate
    copy.recompile()
    copy.meta.update(module.meta)
    return copy


def put_back(module: fx.GraphModule) -> None:
    """Have PyTorch's operators in a trace."""
    for node in module.graph.nodes:
        if node.target is torch.ops.fastconv.resized.default:
            node.target, node.args = _call(*node.args)
    module.recompile()
