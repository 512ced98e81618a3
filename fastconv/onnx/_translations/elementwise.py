"""Functions of each value, and what makes maps of what they take."""

from math import inf, isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._graph.operations.elementwise import Clip, Elementwise
from fastconv._graph.operations.operation import Doubles
from fastconv.onnx._program import Node
from fastconv.onnx._values import Map, Tensor

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding

# The axes of tensors that lie in no map yet; maps keep theirs. What the model reads may be an image, whose scale
# becomes part of the convolution that follows; what NumPy gives, such as scores of attention, is taken as it lies.
_OF_INPUTS = ("NCHW", "NWC", "NC")
_OF_STEPS = ("NHWC", "NWC", "NC")


def maps(bind: "Binding", *values: Any) -> list[Map] | None:
    """Values of a run as maps with the same axes: those of the first that is a map of a segment."""
    tensors = [one for one in values if isinstance(one, Tensor)]
    inside = next((one.axes for one in tensors if isinstance(one, Map) and one.segment), None)
    others = _OF_STEPS if all(one.level >= 0 for one in tensors) else _OF_INPUTS
    found = [bind.as_map(one, *((inside,) if inside else others)) for one in values]
    same = [one for one in found if one and found[0] and one.axes == found[0].axes]
    return same if len(same) == len(found) else None  # of other axes there is another broadcast


def one(bind: "Binding", x: Any) -> Map | None:
    """A value of a run as a map."""
    found = maps(bind, x)
    return found[0] if found else None


def beside(bind: "Binding", x: Any, constant: np.ndarray) -> Map | None:
    """A value of a run as a map whose channels are where a constant has its only axis, if x is no map of a segment."""
    shape = (1,) * (len(x.shape) - constant.ndim) + constant.shape
    if len(shape) == len(x.shape) == 4 and not (isinstance(x, Map) and x.segment):
        for axis, names in (1, "NCHW"), (3, "NHWC"):
            if constant.size == shape[axis] == x.shape[axis] > 1:
                return bind.as_map(x, names)
    return one(bind, x)


def per_channel(constant: np.ndarray, x: Map) -> Doubles | None:
    """A constant that is broadcast to a map as a vector of a value for each channel, where it is one."""
    if constant.ndim > len(x.shape) or constant.dtype != x.dtype:
        return None
    shape, axis, channels = (1,) * (len(x.shape) - constant.ndim) + constant.shape, x.axes.index("C"), x.nhwc[3]
    if any(size != 1 for i, size in enumerate(shape) if i != axis) or shape[axis] not in (1, channels):
        return None
    return np.broadcast_to(constant.ravel().astype(float), channels)


def is_number(constant: np.ndarray, number: float, x: Tensor) -> bool:
    """Whether a constant is this number, and what x is combined with it has the shape of x."""
    return constant.size == 1 and constant.ndim <= len(x.shape) and constant.item() == number


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
    name = "gelu_tanh" if node.attributes["approximate"] == "tanh" else "gelu"
    x = one(bind, x)
    return None if x is None else bind.add(node, Elementwise(name), x)


def celu(bind: "Binding", node: Node, x: Any) -> Map | None:
    """Of a positive alpha."""
    x, alpha = one(bind, x), float(node.attributes["alpha"])
    return None if x is None or alpha <= 0 else bind.add(node, Elementwise("celu", numbers=(alpha,)), x)


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


def prelu(bind: "Binding", node: Node, x: Any, slope: np.ndarray) -> Map | None:
    x = beside(bind, x, slope)
    vector = None if x is None else per_channel(slope, x)
    if x is None or vector is None:
        return None
    return bind.add(node, Elementwise("prelu", vectors=(np.array(vector),)), x)


def swish(bind: "Binding", node: Node, x: Any) -> Map | None:
    """x · sigmoid(alpha · x), of alpha 1."""
    x = one(bind, x)
    return None if x is None or node.attributes["alpha"] != 1 else bind.add(node, Elementwise("swish"), x)


TRANSLATIONS = {
    "Abs": _function("abs"),
    "Celu": celu,
    "Clip": clip,
    "Elu": elu,
    "Erf": _function("erf"),
    "Exp": _function("exp"),
    "Gelu": gelu,
    "HardSigmoid": _function("hard_sigmoid", "alpha", "beta", activation=(0.0, 1.0)),
    "HardSwish": _function("hard_swish"),
    "LeakyRelu": _function("leaky_relu", "alpha"),
    "Log": _function("log"),
    "Mish": _function("mish"),
    "PRelu": prelu,
    "Relu": relu,
    "Selu": elu,
    "Sigmoid": _function("sigmoid"),
    "Softplus": _function("softplus"),
    "Sqrt": _function("sqrt"),
    "Swish": swish,
    "Tanh": _function("tanh"),
}
PARAMETERS = {"Clip": (1, 2), "PRelu": (1,)}
