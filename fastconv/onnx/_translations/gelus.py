"""Gelu where it is written as several nodes: x · (1 + erf(x / √2)) / 2, in any order of its factors."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._graph.graph import Node
from fastconv.onnx._translations.elementwise import is_number
from fastconv.onnx._values import Map

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding


def halved(bind: "Binding", value: Any, constant: np.ndarray) -> Map | None:
    """The x of half of x · (1 + erf(x / √2))."""
    node = _node(value)
    if node is None or node.operation.kind != "mul" or not is_number(constant, 0.5, value):
        return None
    return next((_map(value, x) for x, gate in _orders(node) if _source(value, gate) == x), None)


def product(bind: "Binding", first: Map, second: Map) -> Map | None:
    """The x of x / 2 · (1 + erf(x / √2)) and of x · ((1 + erf(x / √2)) / 2)."""
    for value, gate in (first, second), (second, first):
        node = _node(gate)
        if node is None or gate.segment is None:
            continue
        name = gate.segment.node_of(value)
        gated = _scaled(gate, node.name, 0.5, 0.0)
        if gated is not None and name is not None and _source(gate, gated) == name:
            return value
        halves = None if name is None else _scaled(gate, name, 0.5, 0.0)
        if halves is not None and _source(gate, node.name) == halves:
            return _map(gate, halves)
    return None


def _source(value: Map, name: str) -> str | None:
    """The x of a node that is 1 + erf(x / √2)."""
    erf = _scaled(value, name, 1.0, 1.0)
    node = value.segment.nodes.get(erf) if value.segment and erf else None
    return _scaled(value, node.inputs[0], 0.5**0.5, 0.0) if node and node.operation.kind == "erf" else None


def _scaled(value: Map, name: str, scale: float, shift: float) -> str | None:
    """What a node reads that is x · scale + shift."""
    node = value.segment.nodes.get(name) if value.segment else None
    if node is None or node.operation.kind != "scale":
        return None
    vectors = getattr(node.operation, "vectors", ())
    is_it = all(
        np.allclose(vector, given, rtol=1e-6, atol=0) for vector, given in zip(vectors, (scale, shift), strict=True)
    )
    return node.inputs[0] if is_it else None


def _node(value: Any) -> Node | None:
    return value.segment.nodes.get(value.node) if isinstance(value, Map) and value.segment else None


def _orders(node: Node) -> tuple[tuple[str, str], ...]:
    x, y = node.inputs
    return (x, y), (y, x)


def _map(like: Map, name: str) -> Map:
    """The map of the same shape that a node of its segment has."""
    return Map("", like.shape, like.dtype, like.level, like.axes, like.nhwc, name, like.segment)
