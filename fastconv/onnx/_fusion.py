"""Attention as exporters write it, in nodes of its own for each product, scale, bias and the softmax, as one node:

    softmax(s Q Kᵀ + biases) V

Which nodes may be one follows from their names alone. They are one where, once shapes are known, the scales are numbers
and the biases and reshapes leave each matrix of scores as it is; else they are what they were.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv._runners.attention import Attention
from fastconv.onnx._in_numpy.shaping import reshaped
from fastconv.onnx._program import Node
from fastconv.onnx._values import Tensor

DOMAIN = "fastconv"  # of the nodes that no file has
_FOUND, _MADE = "Nodes", "Attention"
_MAX_BETWEEN = 8  # nodes between the product and the softmax
MIN_ROWS = 4  # of queries, that packing keys and values pays for
_ON_SCORES = {"Add": (0, 1), "Mul": (0, 1), "Div": (0,), "Reshape": (0,)}  # {operator: inputs that may be the scores}


def fused(nodes: Sequence[Node], outputs: Iterable[str]) -> list[Node]:
    """The nodes, those that may be one attention as one, where the last of them stood."""
    if not any(node.kind == "Softmax" for node in nodes):
        return list(nodes)
    made = {name: node for node in nodes for name in node.outputs}
    uses = Counter([*outputs, *(name for node in nodes for name in node.inputs)])
    readers = {name: node for node in nodes for name in node.inputs if uses[name] == 1}
    groups, taken = dict[str, Node](), set[str]()
    for softmax in nodes:
        last = readers.get(softmax.outputs[0]) if softmax.kind == "Softmax" else None
        if last is None or last.kind != "MatMul" or last.inputs[0] != softmax.outputs[0]:
            continue
        between = _between(softmax.inputs[0], made, uses)
        if between is not None and between[0].outputs[0] not in taken:  # or it is the last of the attention before
            product, *others = between
            before = [made[name] for name in product.inputs if uses[name] == 1 and _is_scale(made.get(name))]
            parts = (*before, product, *others, softmax, last)
            own = {name for node in parts for name in node.outputs}
            reads = tuple(dict.fromkeys(name for node in parts for name in node.inputs if name not in own))
            groups[last.outputs[0]] = Node(last.label, _FOUND, DOMAIN, 1, reads, last.outputs, {"nodes": parts})
            taken |= own
    return [groups.get(node.outputs[0], node) for node in nodes if _stays(node, taken, groups)]


def _stays(node: Node, taken: set[str], groups: Mapping[str, Node]) -> bool:
    return not node.outputs or node.outputs[0] not in taken or node.outputs[0] in groups


def _is_scale(node: Node | None) -> bool:
    return node is not None and node.kind in ("Mul", "Div") and not node.domain


def _between(name: str, made: Mapping[str, Node], uses: Mapping[str, int], depth: int = 0) -> list[Node] | None:
    """The nodes from a product to what it becomes here, which no other reads."""
    node = made.get(name)
    if node is None or node.domain or uses[name] != 1 or depth > _MAX_BETWEEN:
        return None
    if node.kind == "MatMul":
        return [node]
    for position in _ON_SCORES.get(node.kind, ()):
        before = _between(node.inputs[position], made, uses, depth + 1)
        if before is not None:
            return [*before, node]
    return None


def resolved(node: Node, known: Mapping[str, Any]) -> list[Node]:
    """What fused nodes are, now that shapes are known: an attention, after what is no scale, or themselves.

    [] of any other node.
    """
    if (node.kind, node.domain) != (_FOUND, DOMAIN):
        return []
    parts: tuple[Node, ...] = node.attributes["nodes"]
    at = next(i for i, one in enumerate(parts) if one.kind == "MatMul")
    scales = {one.outputs[0]: scale for one in parts[:at] if (scale := _scale(one, known))}
    others = [one for one in parts[:at] if one.outputs[0] not in scales]
    if others:
        left = tuple(one for one in parts if one not in others)
        return [*others, Node(node.label, _FOUND, DOMAIN, 1, node.inputs, node.outputs, {"nodes": left})]
    made = _attention(parts[at:], scales, known)
    return [made] if made else [*parts]


def _scale(node: Node, known: Mapping[str, Any]) -> tuple[str, float] | None:
    """(what a node scales, by what number)."""
    first, second = (known.get(name) for name in node.inputs)
    factor = _number(second, first)
    if factor is not None:
        return node.inputs[0], factor if node.kind == "Mul" else 1 / factor
    factor = _number(first, second) if node.kind == "Mul" else None
    return None if factor is None else (node.inputs[1], factor)


def _number(value: Any, beside: Any) -> float | None:
    """A constant that is one number, and not 0, of the dtype of a tensor whose shape it leaves alone."""
    if not (isinstance(value, np.ndarray) and isinstance(beside, Tensor)) or value.dtype != beside.dtype:
        return None
    is_one = value.size == 1 and value.ndim <= len(beside.shape) and isfinite(value.item()) and value.item() != 0
    return float(value.item()) if is_one else None


def _attention(parts: Sequence[Node], scales: Mapping[str, tuple[str, float]], known: Mapping[str, Any]) -> Node | None:
    """The attention that a product, what becomes of it, its softmax and the second product are, if they are one."""
    product, *between, softmax, last = parts
    (query, first), (key, second) = (scales.get(name, (name, 1.0)) for name in product.inputs)
    names = query, key, last.inputs[1]
    q, k, v = (known.get(name) for name in names)
    if not (isinstance(q, Tensor) and isinstance(k, Tensor) and isinstance(v, Tensor)):
        return None
    if not (q.dtype == k.dtype == v.dtype and q.dtype in (np.float32, np.float64)):
        return None
    if min(len(one.shape) for one in (q, k, v)) < 2 or 0 in (*q.shape, *k.shape, *v.shape):
        return None
    (*own, rows, depth), (*others, inner, columns) = q.shape, k.shape
    stack = _broadcast(tuple(own), tuple(others))
    if rows < MIN_ROWS or depth != inner or columns != v.shape[-2] or stack is None:
        return None
    scores = _Scores(product.outputs[0], q.dtype, (*stack, rows, columns), first * second)
    if not all(scores.become(one, known) for one in between) or len(scores.biases) > Attention.max_biases:
        return None
    stacks, axes = (stack, scores.shape[:-2]), len(scores.shape)
    if softmax.attributes["axis"] not in (-1, axes - 1) or _broadcast(v.shape[:-2], stacks[1]) != stacks[1]:
        return None
    limits = np.finfo(q.dtype)
    if not float(limits.tiny) <= abs(scores.scale) <= float(limits.max):
        return None
    biases = tuple(shape for _, shape in scores.biases)
    attributes = {"scale": scores.scale, "stacks": stacks, "biases": biases}
    inputs = *names, *(name for name, _ in scores.biases)
    return Node(last.label, _MADE, DOMAIN, 1, inputs, last.outputs, attributes)


class _Scores:
    """What is known of the scores on their way to the softmax."""

    def __init__(self, name: str, dtype: np.dtype, shape: Shape, scale: float) -> None:
        self._name, self._dtype, self.shape, self.scale = name, dtype, shape, scale
        self.biases = list[tuple[str, Shape]]()  # a tensor, and the shape of the scores that it is added to

    def become(self, node: Node, known: Mapping[str, Any]) -> bool:
        """Take in a node; whether each matrix of scores stays one, and the biases come after the scales."""
        before = Tensor(self._name, self.shape, self._dtype)
        name = node.inputs[0 if node.inputs[1] == self._name else 1]
        self._name, other = node.outputs[0], known.get(name)
        if node.kind == "Reshape":
            return isinstance(other, np.ndarray) and self._is_split(node, other)
        if node.kind == "Add":
            self.biases.append((name, self.shape))
            if not isinstance(other, Tensor | np.ndarray) or other.dtype != self._dtype:
                return False
            return _broadcast(self.shape, other.shape) == self.shape
        factor = _number(other, before)
        if self.biases or factor is None:
            return False
        self.scale *= factor if node.kind == "Mul" else 1 / factor
        return True

    def _is_split(self, node: Node, target: np.ndarray) -> bool:
        """Whether a reshape changes the axes of the stack alone, which it does."""
        try:
            shape = reshaped(node, self.shape, target)
        except ValueError:
            return False
        is_kept, self.shape = shape[-2:] == self.shape[-2:], shape
        return is_kept


def _broadcast(first: Shape, second: Shape) -> Shape | None:
    try:
        return np.broadcast_shapes(first, second)
    except ValueError:
        return None
