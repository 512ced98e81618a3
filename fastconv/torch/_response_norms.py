"""Local response norms as one operator: PyTorch traces them as averages over volumes, which no map has."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import fx
from torch.nn import functional

_aten = torch.ops.aten
_VIEWS = _aten.view.default, _aten._unsafe_view.default, _aten.unsqueeze.default, _aten.squeeze.dim
_AVERAGES = _aten.avg_pool2d.default, _aten.avg_pool3d.default
# The operators from the result back to the squares, where views stand between some.
_CHAIN = (
    (_aten.pow.Tensor_Scalar,),
    (_aten.add.Tensor,),
    (_aten.mul.Tensor,),
    _AVERAGES,
    (_aten.constant_pad_nd.default,),
)


def _run(x: torch.Tensor, size: int, alpha: float, beta: float, k: float) -> torch.Tensor:
    return functional.local_response_norm(x, size, alpha, beta, k)


_norm: Any = torch.library.custom_op("fastconv::local_response_norm", _run, mutates_args=())
_norm.register_fake(_run)
LOCAL_RESPONSE_NORM = torch.ops.fastconv.local_response_norm.default


def put_together(module: fx.GraphModule) -> None:
    """Have one operator for each local response norm of a trace."""
    for node in module.graph.find_nodes(op="call_function", target=_aten.div.Tensor):
        found = _numbers(node)
        if found is not None:
            numbers, nodes = found
            with module.graph.inserting_before(node):
                whole = module.graph.call_function(LOCAL_RESPONSE_NORM, (node.args[0], *numbers))
            whole.meta = dict(node.meta)
            node.replace_all_uses_with(whole)
            for one in (node, *nodes):
                module.graph.erase_node(one)
    module.recompile()


def _numbers(node: fx.Node) -> tuple[tuple[Any, ...], list[fx.Node]] | None:
    """((size, alpha, beta, k), the nodes before it that are nobody else's) of a norm that ends with this node."""
    x, last = node.args
    nodes, found = list[fx.Node](), list[fx.Node]()
    for targets in (*_CHAIN, (_aten.mul.Tensor,)):
        while isinstance(last, fx.Node) and last.target in _VIEWS and len(last.users) == 1:
            nodes.append(last)
            last = last.args[0]
        if not isinstance(last, fx.Node) or last.target not in targets or len(last.users) > 1 or last.kwargs:
            return None
        nodes.append(last)
        found.append(last)
        last = last.args[0]
    power, total, product, average, padded, square = found
    numbers = power.args[1], total.args[1], product.args[1]
    if square.args != (x, x) or not all(isinstance(one, int | float) for one in numbers):
        return None
    (squares, sides, *value), (size, *others), steps = padded.args, average.args[1], average.args[2]
    is_norm = _are(others, 1) and _are(steps, 1) and [*sides] == [0] * 2 * len(others) + [size // 2, (size - 1) // 2]
    is_norm &= _are(value, 0) and len(average.args) == 3 and _is_along_channels(x, squares, len(others) + 1)
    beta, k, alpha = map(float, numbers)
    return ((size, alpha, beta, k), nodes) if is_norm else None


def _is_along_channels(x: fx.Node, squares: fx.Node, averaged: int) -> bool:
    """Whether the first of so many last axes has the channels: views may give it any other values."""
    images, channels, *_ = x.meta["val"].shape
    shape = squares.meta["val"].shape
    return bool(prod(shape[:-averaged]) == images and shape[-averaged] == channels)


def _are(numbers: Sequence[int], number: int) -> bool:
    return all(one == number for one in numbers)
