"""Circular paddings as one operator: PyTorch traces them as slices that are written into an empty tensor."""

from typing import Any

import numpy as np
import torch
from torch import fx

_aten = torch.ops.aten
CIRCULAR_PAD = _aten._pad_circular.default
_PARTS = _aten.slice.Tensor, _aten.slice_scatter.default, _aten.copy.default

# (The tensor that values are of, None where there are none yet; for each axis their numbers, −1 where there is none.)
_Taken = tuple[fx.Node | None, list[np.ndarray]]


def put_together(module: fx.GraphModule) -> None:
    """Have one operator for each circular padding of a trace."""
    known = dict[fx.Node, _Taken | None]()
    for node in module.graph.find_nodes(op="call_function", target=_aten.slice_scatter.default):
        found = _taken(node, known)
        pads = None if found is None or found[0] is None else _pads(found[0], found[1])
        if found is None or pads is None:
            continue
        with module.graph.inserting_before(node):
            whole = module.graph.call_function(CIRCULAR_PAD, (found[0], pads))
        whole.meta = dict(node.meta)
        node.replace_all_uses_with(whole)
    for node in reversed(module.graph.nodes):
        if node in known and not node.users:
            module.graph.erase_node(node)
    module.recompile()


def _taken(node: fx.Node, known: dict[fx.Node, _Taken | None]) -> _Taken | None:
    """What the values of a node are, where they are some of one tensor's along each axis."""
    if node not in known and node.target in (_aten.new_empty.default, *_PARTS):
        known[node] = _written(node, known)
    if node in known:
        return known[node]
    sizes = _sizes(node)
    return None if sizes is None else (node, [np.arange(size) for size in sizes])


def _written(node: fx.Node, known: dict[fx.Node, _Taken | None]) -> _Taken | None:
    sizes = _sizes(node)
    if sizes is None:
        return None
    if node.target is _aten.new_empty.default:
        return None, [np.full(size, -1) for size in sizes]
    if node.target is _aten.copy.default:
        is_same = _sizes(node.args[1]) == sizes and node.args[1].meta["val"].dtype == node.meta["val"].dtype
        return _taken(node.args[1], known) if is_same else None
    base = _taken(node.args[0], known)
    if node.target is _aten.slice.Tensor:
        part = _part(len(sizes), *node.args[1:])
        return None if base is None or part is None else (base[0], _with(base[1], part[0], base[1][part[0]][part[1]]))
    source, part = _taken(node.args[1], known), _part(len(sizes), *node.args[2:])
    if base is None or source is None or part is None:
        return None
    axis, along = part
    others = [i for i in range(len(sizes)) if i != axis and base[0] is not None]
    if len({base[0], source[0]} - {None}) > 1 or any((base[1][i] != source[1][i]).any() for i in others):
        return None
    numbers = base[1][axis].copy()
    numbers[along] = source[1][axis]
    return source[0] or base[0], _with(source[1], axis, numbers)


def _part(axes: int, axis: Any = 0, start: Any = None, end: Any = None, step: Any = 1) -> tuple[int, slice] | None:
    """(the axis, the slice) of an operator of slices, where they are known."""
    is_known = all(one is None or isinstance(one, int) for one in (start, end, step))
    return (axis % axes, slice(start, end, step)) if is_known else None


def _with(numbers: list[np.ndarray], axis: int, along: np.ndarray) -> list[np.ndarray]:
    changed = [*numbers]
    changed[axis] = along
    return changed


def _sizes(node: fx.Node) -> list[int] | None:
    """Those of a tensor, where they are known."""
    value = node.meta.get("val")
    sizes = [*value.shape] if isinstance(value, torch.Tensor) else None
    return sizes if sizes is not None and all(isinstance(size, int) for size in sizes) else None


def _pads(source: fx.Node, numbers: list[np.ndarray]) -> list[int] | None:
    """PyTorch's pairs, that of the last axis first, of a padding which gives a tensor's values by these numbers."""
    pads = list[int]()
    for size, index in zip(reversed(_sizes(source) or ()), reversed(numbers), strict=True):
        before = int(np.argmax(index == 0))
        after = index.size - size - before
        if not 0 <= after <= size or (index != (np.arange(index.size) - before) % size).any():
            return None
        pads += before, after
    while len(pads) > 2 and pads[-2:] == [0, 0]:
        del pads[-2:]
    return pads if any(pads) else None
