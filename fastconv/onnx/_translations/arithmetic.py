"""Sums, products and their like: of maps, of which one may be broadcast, and with constants of each channel."""

from math import inf, isnan, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._graph.operations.elementwise import Add, Binary, Clip, Elementwise, broadcast_shape
from fastconv._graph.operations.normalization import Scale
from fastconv._graph.operations.operation import Doubles
from fastconv._graph.operations.resizing import NearestResize, NewSize
from fastconv.onnx._program import Node
from fastconv.onnx._translations import gelus
from fastconv.onnx._translations.elementwise import beside, is_number, maps, one, per_channel
from fastconv.onnx._values import MOST_BYTES, Map, Tensor, into_map

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding


def _scaled(bind: "Binding", node: Node, x: Any, constant: np.ndarray, scale: Any, shift: Any) -> Map | None:
    """x · scale(c) + shift(c), where these are functions of a constant, None where a value is not finite.

    x · 1 is x itself: Paddle writes swish as x · sigmoid(1 · x).
    """
    x = beside(bind, x, constant)
    vector = None if x is None else per_channel(constant, x)
    if x is None or vector is None:
        return None
    with np.errstate(all="ignore"):
        vectors = [np.broadcast_to(f(vector), vector.shape).astype(x.dtype) for f in (scale, shift)]
    if not all(np.isfinite(one).all() for one in vectors):
        return None
    if shift is _nothing and (vectors[0] == 1).all():
        return x
    return bind.add(node, Scale(*vectors), x)


def _with_constant(bind: "Binding", node: Node, function: str, x: Any, constant: np.ndarray, first: bool) -> Map | None:
    """f of a map and a constant that differs from pixel to pixel, such as a position's or a window's values."""
    x = beside(bind, x, constant)
    if x is None or constant.dtype != x.dtype or constant.ndim > len(x.shape):
        return None
    shape = (1,) * (len(x.shape) - constant.ndim) + constant.shape
    if any(size not in (1, of_x) for size, of_x in zip(shape, x.shape, strict=True)):
        return None
    values = into_map(constant.reshape(shape), x.axes)
    pixels = (1, 1) if values.shape[1:3] == (1, 1) else x.nhwc[1:3]
    whole = x.nhwc[0], *pixels, values.shape[3]
    if prod(whole) * values.itemsize > MOST_BYTES:
        return None
    other = bind.constant(np.ascontiguousarray(np.broadcast_to(values, whole)), x)
    return bind.add(node, Binary(function), *((other, x) if first else (x, other)), axes=x.axes)


def _nothing(c: Doubles) -> float:
    return 0.0


def _one(c: Doubles) -> float:
    return 1.0


def _itself(c: Doubles) -> Doubles:
    return c


def add(bind: "Binding", node: Node, x: Any, y: Any) -> Map | None:
    if isinstance(x, np.ndarray):
        x, y = y, x
    if isinstance(y, np.ndarray):
        return _scaled(bind, node, x, y, _one, _itself) or _with_constant(bind, node, "add", x, y, False)
    return _sum(bind, node, [x, y])


def binary(bind: "Binding", node: Node, function: str, x: Any, y: Any) -> Map | None:
    """f of maps of one shape, or of which one has one pixel, one row or column of pixels, or one channel."""
    found = maps(bind, x, y)
    both = None if found is None else _spread(bind, node, *found)
    return None if both is None else bind.add(node, Binary(function), *both)


def _spread(bind: "Binding", node: Node, x: Map, y: Map) -> tuple[Map, Map] | None:
    """Two maps that can be combined: the only row or column of one is copied to where the other has several."""
    if broadcast_shape(x.nhwc, y.nhwc):
        return x, y
    pairs = [*zip(x.nhwc, y.nhwc, strict=True)]
    if x.nhwc[0] != y.nhwc[0] or any(a != b and 1 not in (a, b) for a, b in pairs):
        return None
    height, width = (max(pair) for pair in pairs[1:3])
    size = NewSize((height, width), None, "asymmetric")
    x, y = (
        one if one.nhwc[1:3] == (height, width) else bind.add(node, NearestResize(size, "floor"), one) for one in (x, y)
    )
    return (x, y) if broadcast_shape(x.nhwc, y.nhwc) else None


def _with_vector(bind: "Binding", node: Node, function: str, x: Any, constant: np.ndarray) -> Map | None:
    """f of a map and a constant of each channel."""
    x = beside(bind, x, constant)
    vector = None if x is None else per_channel(constant, x)
    if x is None or vector is None:
        return None
    return bind.add(node, Elementwise(function, vectors=(np.array(vector),)), x)


def _sum(bind: "Binding", node: Node, values: list[Any]) -> Map | None:
    found = maps(bind, *values)
    if found is None:
        return None
    total, *others = found
    for other in others:
        both = _spread(bind, node, total, other)
        if both is None:
            return None
        total = bind.add(node, Add() if both[0].nhwc == both[1].nhwc else Binary("add"), *both)
    return total


def sum_of(bind: "Binding", node: Node, *values: Any) -> Tensor | None:
    if len(values) == 1:
        return values[0]
    return _sum(bind, node, list(values))


def sub(bind: "Binding", node: Node, x: Any, y: Any) -> Map | None:
    if isinstance(y, np.ndarray):
        return _scaled(bind, node, x, y, _one, np.negative) or _with_constant(bind, node, "sub", x, y, False)
    if isinstance(x, np.ndarray):
        found = _scaled(bind, node, y, x, lambda c: -1.0, _itself)
        return found or _with_constant(bind, node, "sub", y, x, True)
    return binary(bind, node, "sub", x, y)


def mul(bind: "Binding", node: Node, x: Any, y: Any) -> Map | None:
    """x · sigmoid(x), x · (1 + erf(x / √2)) / 2 and their like are one function."""
    if isinstance(x, np.ndarray):
        x, y = y, x
    if isinstance(y, np.ndarray):
        whole = gelus.halved(bind, x, y)
        if whole is not None:
            return bind.add(node, Elementwise("gelu"), whole)
        return _scaled(bind, node, x, y, _itself, _nothing) or _with_constant(bind, node, "mul", x, y, False)
    found = maps(bind, x, y)
    if found is None:
        return None
    for value, gate in (found, found[::-1]):
        name = _gated(bind, value, gate)
        if name:
            return bind.add(node, Elementwise(name), value)
    whole = gelus.product(bind, *found)
    if whole is not None:
        return bind.add(node, Elementwise("gelu"), whole)
    return binary(bind, node, "mul", *found)


def _gated(bind: "Binding", value: Map, gate: Map) -> str:
    """The activation that x · gate(x) is: swish, hard swish, or none."""
    operation, sources = bind.operation(gate)
    if not isinstance(operation, Elementwise) or not gate.segment or sources != (gate.segment.node_of(value),):
        return ""
    if operation.function == "sigmoid":
        return "swish"
    is_default = np.allclose(operation.numbers, (1 / 6, 0.5), rtol=1e-6) if operation.numbers else False
    return "hard_swish" if operation.function == "hard_sigmoid" and is_default else ""


def div(bind: "Binding", node: Node, x: Any, y: Any) -> Map | None:
    """By constants, whose reciprocals are rounded once, and by maps. x · clip(x + 3, 0, 6) / 6 is a hard swish."""
    if isinstance(x, np.ndarray):
        return _with_vector(bind, node, "rdiv", y, x) or _with_constant(bind, node, "div", y, x, True)
    if not isinstance(y, np.ndarray):
        return binary(bind, node, "div", x, y)
    if is_number(y, 6.0, x) and (source := _hard_swish(bind, x)) is not None:
        return bind.add(node, Elementwise("hard_swish"), source)
    if is_number(y, 2.0, x) and (source := gelus.halved(bind, x, 1 / y)) is not None:
        return bind.add(node, Elementwise("gelu"), source)
    return _scaled(bind, node, x, y, np.reciprocal, _nothing) or _with_constant(bind, node, "div", x, y, False)


def _hard_swish(bind: "Binding", product: Any) -> Map | None:
    """The x of x · clip(x + 3, 0, 6)."""
    operation, sources = bind.operation(product)
    if operation is None or operation.kind != "mul" or len(set(sources)) != 2:
        return None
    segment = product.segment
    for x, clipped in (sources, sources[::-1]):
        clip = segment.nodes.get(clipped)
        shifted = segment.nodes.get(clip.inputs[0]) if clip and isinstance(clip.operation, Clip) else None
        if clip and shifted and clip.operation.activation == "relu6" and isinstance(shifted.operation, Scale):
            scale, shift = shifted.operation.vectors
            if shifted.inputs == (x,) and (scale == 1).all() and (shift == 3).all():
                return Map("", product.shape, product.dtype, product.level, product.axes, product.nhwc, x, segment)
    return None


def power(bind: "Binding", node: Node, x: Any, y: Any) -> Map | None:
    """Squares, cubes and reciprocals. Power 0.5 is no root: that of −∞ is ∞, that of −0 is 0."""
    x = one(bind, x)
    if x is None or not isinstance(y, np.ndarray) or y.size != 1 or y.ndim > len(x.shape):
        return None
    exponent = float(y.ravel()[0])
    if exponent == -1:
        return reciprocal(bind, node, x)
    if exponent not in (2, 3):
        return None
    square = bind.add(node, Binary("mul"), x, x)
    return square if exponent == 2 else bind.add(node, Binary("mul"), square, x)


def reciprocal(bind: "Binding", node: Node, x: Any) -> Map | None:
    return _with_vector(bind, node, "rdiv", x, np.ones((), x.dtype))


def _clipped(bind: "Binding", node: Node, values: tuple[Any, ...], high: bool) -> Map | None:
    """The minimum or maximum of a map and a number, or of a map and others."""
    if len(values) == 1:
        return one(bind, values[0])
    result, *others = sorted(values, key=lambda value: isinstance(value, np.ndarray))
    for other in others:
        found = one(bind, result)
        if found is None:
            return None
        if isinstance(other, Tensor):
            result = binary(bind, node, "minimum" if high else "maximum", result, other)
        elif other.size != 1 or other.ndim > len(found.shape) or isnan(bound := float(other.ravel()[0])):
            return None
        else:
            result = bind.add(node, Clip(-inf, bound) if high else Clip(bound, inf), found)
    return result


def minimum(bind: "Binding", node: Node, *values: Any) -> Map | None:
    return _clipped(bind, node, values, high=True)


def maximum(bind: "Binding", node: Node, *values: Any) -> Map | None:
    return _clipped(bind, node, values, high=False)


def negative(bind: "Binding", node: Node, x: Any) -> Map | None:
    x = one(bind, x)
    return None if x is None else bind.add(node, Scale(np.full(x.nhwc[3], -1.0), None), x)


TRANSLATIONS = {
    "Add": add,
    "Div": div,
    "Max": maximum,
    "Min": minimum,
    "Mul": mul,
    "Neg": negative,
    "Pow": power,
    "Reciprocal": reciprocal,
    "Sub": sub,
    "Sum": sum_of,
}
PARAMETERS = {"Pow": (1,)}
