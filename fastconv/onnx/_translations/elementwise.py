"""Functions of each value, with constants of each channel where there are two inputs, and sums and products of maps."""

from math import inf, isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._graph.operations.elementwise import Add, Clip, Elementwise, Mul
from fastconv._graph.operations.normalization import Scale
from fastconv._graph.operations.operation import Doubles
from fastconv.onnx._program import Node
from fastconv.onnx._values import Map, Tensor

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding

_AXES = ("NCHW", "NWC", "NC", "NHWC", "NCW")  # of tensors that lie in no map yet; maps keep theirs


def maps(bind: "Binding", *values: Any) -> list[Map] | None:
    """Values of a run as maps with the same axes: those of the first that is a map of a segment."""
    inside = next((one.axes for one in values if isinstance(one, Map) and one.segment), None)
    found = [bind.as_map(one, *((inside,) if inside else _AXES)) for one in values]
    return None if any(one is None for one in found) else [one for one in found if one]


def one(bind: "Binding", x: Any) -> Map | None:
    """A value of a run as a map."""
    found = maps(bind, x)
    return found[0] if found else None


def per_channel(constant: np.ndarray, x: Map) -> Doubles | None:
    """A constant that is broadcast to a map as a vector of a value for each channel, where it is one."""
    if constant.ndim > len(x.shape) or constant.dtype != x.dtype:
        return None
    shape, axis, channels = (1,) * (len(x.shape) - constant.ndim) + constant.shape, x.axes.index("C"), x.nhwc[3]
    if any(size != 1 for i, size in enumerate(shape) if i != axis) or shape[axis] not in (1, channels):
        return None
    return np.broadcast_to(constant.ravel().astype(float), channels)


def _scaled(bind: "Binding", node: Node, x: Any, constant: np.ndarray, scale: Any, shift: Any) -> Map | None:
    """x · scale(c) + shift(c), where these are functions of a constant, None where a value is not finite."""
    x = one(bind, x)
    vector = None if x is None else per_channel(constant, x)
    if x is None or vector is None:
        return None
    with np.errstate(all="ignore"):
        vectors = [np.broadcast_to(f(vector), vector.shape).astype(x.dtype) for f in (scale, shift)]
    if not all(np.isfinite(one).all() for one in vectors):
        return None
    return bind.add(node, Scale(*vectors), x)


def _nothing(c: Doubles) -> float:
    return 0.0


def _one(c: Doubles) -> float:
    return 1.0


def _itself(c: Doubles) -> Doubles:
    return c


def add(bind: "Binding", node: Node, x: Any, y: Any) -> Map | None:
    if isinstance(y, np.ndarray):
        return _scaled(bind, node, x, y, _one, _itself)
    if isinstance(x, np.ndarray):
        return _scaled(bind, node, y, x, _one, _itself)
    return _sum(bind, node, [x, y])


def _sum(bind: "Binding", node: Node, values: list[Any]) -> Map | None:
    found = maps(bind, *values)
    if found is None or len({value.nhwc for value in found}) > 1:
        return None
    total, *others = found
    for other in others:
        total = bind.add(node, Add(), total, other)
    return total


def sum_of(bind: "Binding", node: Node, *values: Any) -> Tensor | None:
    if len(values) == 1:
        return values[0]
    return _sum(bind, node, list(values))


def sub(bind: "Binding", node: Node, x: Any, y: Any) -> Map | None:
    if isinstance(y, np.ndarray):
        return _scaled(bind, node, x, y, _one, np.negative)
    if isinstance(x, np.ndarray):
        return _scaled(bind, node, y, x, lambda c: -1.0, _itself)
    found = maps(bind, x, y)
    if found is None or found[0].nhwc != found[1].nhwc:
        return None
    negative = bind.add(node, Scale(np.full(found[1].nhwc[3], -1.0), None), found[1])
    return bind.add(node, Add(), found[0], negative)


def mul(bind: "Binding", node: Node, x: Any, y: Any) -> Map | None:
    if isinstance(y, np.ndarray):
        return _scaled(bind, node, x, y, _itself, _nothing)
    if isinstance(x, np.ndarray):
        return _scaled(bind, node, y, x, _itself, _nothing)
    found = maps(bind, x, y)
    if found is None:
        return None
    for value, gate in (found, found[::-1]):
        name = _gated(bind, value, gate)
        if name:
            return bind.add(node, Elementwise(name), value)
    first, second = (value.nhwc for value in found)
    if first != second and not ((1, 1) in (first[1:3], second[1:3]) and first[::3] == second[::3]):
        return None
    return bind.add(node, Mul(), *found)


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
    """By constants, whose reciprocals are rounded once. x · clip(x + 3, 0, 6) / 6 is a hard swish."""
    if not isinstance(y, np.ndarray):
        return None
    if y.size == 1 and float(y.ravel()[0]) == 6.0 and (source := _hard_swish(bind, x)) is not None:
        return bind.add(node, Elementwise("hard_swish"), source)
    return _scaled(bind, node, x, y, np.reciprocal, _nothing)


def _hard_swish(bind: "Binding", product: Any) -> Map | None:
    """The x of x · clip(x + 3, 0, 6)."""
    operation, sources = bind.operation(product)
    if not isinstance(operation, Mul) or len(set(sources)) != 2:
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
    """Squares."""
    x = one(bind, x)
    if x is None or not isinstance(y, np.ndarray) or y.size != 1 or y.ndim > len(x.shape) or y.ravel()[0] != 2:
        return None
    return bind.add(node, Mul(), x, x)


def _function(name: str, *attributes: str, activation: Any = None) -> Any:
    def translate(bind: "Binding", node: Node, x: Any) -> Map | None:
        x = one(bind, x)
        numbers = tuple(float(node.attributes[attribute]) for attribute in attributes)
        return None if x is None else bind.add(node, Elementwise(name, activation=activation, numbers=numbers), x)

    return translate


def elu(bind: "Binding", node: Node, x: Any) -> Map | None:
    """Elu and Selu, whose gain is gamma."""
    x, gain = one(bind, x), node.attributes.get("gamma", 1.0)
    numbers = float(node.attributes["alpha"] * gain), float(gain)
    return None if x is None else bind.add(node, Elementwise("elu", numbers=numbers), x)


def gelu(bind: "Binding", node: Node, x: Any) -> Map | None:
    """The one by a tanh."""
    x = one(bind, x) if node.attributes["approximate"] == "tanh" else None
    return None if x is None else bind.add(node, Elementwise("gelu_tanh"), x)


def relu(bind: "Binding", node: Node, x: Any) -> Map | None:
    x = one(bind, x)
    return None if x is None else bind.add(node, Clip(0.0, inf), x)


def clip(
    bind: "Binding", node: Node, x: Any, low: np.ndarray | None = None, high: np.ndarray | None = None
) -> Map | None:
    """min(max(x, low), high): of low > high that is high."""
    x = one(bind, x)
    ends = [node.attributes.get("min", -inf), node.attributes.get("max", inf)]
    for i, bound in enumerate((low, high)):
        if bound is not None:
            if bound.size != 1:
                raise ValueError(f"its bounds must be single numbers, got shape {bound.shape}")
            ends[i] = float(bound.ravel()[0])
    if x is None or any(map(isnan, ends)):
        return None
    return bind.add(node, Clip(min(ends), ends[1]), x)


def _clipped(bind: "Binding", node: Node, values: tuple[Any, ...], high: bool) -> Map | None:
    """The minimum or maximum of a map and a number."""
    numbers = [value for value in values if isinstance(value, np.ndarray) and value.size == 1]
    others = [value for value in values if isinstance(value, Tensor)]
    if len(values) != 2 or len(numbers) != 1 or len(others) != 1 or numbers[0].ndim > len(others[0].shape):
        return None
    x, bound = one(bind, others[0]), float(numbers[0].ravel()[0])
    if x is None or isnan(bound):
        return None
    return bind.add(node, Clip(-inf, bound) if high else Clip(bound, inf), x)


def minimum(bind: "Binding", node: Node, *values: Any) -> Map | None:
    return _clipped(bind, node, values, high=True)


def maximum(bind: "Binding", node: Node, *values: Any) -> Map | None:
    return _clipped(bind, node, values, high=False)


def prelu(bind: "Binding", node: Node, x: Any, slope: np.ndarray) -> Map | None:
    x = one(bind, x)
    vector = None if x is None else per_channel(slope, x)
    if x is None or vector is None:
        return None
    return bind.add(node, Elementwise("prelu", vectors=(np.array(vector),)), x)


def swish(bind: "Binding", node: Node, x: Any) -> Map | None:
    """x · sigmoid(alpha · x), of alpha 1."""
    x = one(bind, x)
    return None if x is None or node.attributes["alpha"] != 1 else bind.add(node, Elementwise("swish"), x)


def negative(bind: "Binding", node: Node, x: Any) -> Map | None:
    x = one(bind, x)
    return None if x is None else bind.add(node, Scale(np.full(x.nhwc[3], -1.0), None), x)


TRANSLATIONS = {
    "Add": add,
    "Clip": clip,
    "Div": div,
    "Elu": elu,
    "Gelu": gelu,
    "HardSigmoid": _function("hard_sigmoid", "alpha", "beta", activation=(0.0, 1.0)),
    "HardSwish": _function("hard_swish"),
    "LeakyRelu": _function("leaky_relu", "alpha"),
    "Max": maximum,
    "Min": minimum,
    "Mish": _function("mish"),
    "Mul": mul,
    "Neg": negative,
    "PRelu": prelu,
    "Pow": power,
    "Relu": relu,
    "Selu": elu,
    "Sigmoid": _function("sigmoid"),
    "Softplus": _function("softplus"),
    "Sub": sub,
    "Sum": sum_of,
    "Swish": swish,
    "Tanh": _function("tanh"),
}
PARAMETERS = {"Clip": (1, 2), "PRelu": (1,), "Pow": (1,)}
