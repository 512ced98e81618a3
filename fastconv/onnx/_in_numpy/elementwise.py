"""Functions of each value, small ones right relatively, and what NumPy has under another name."""

import functools
from typing import Any

import numpy as np

from fastconv._graph.operations.elementwise import FUNCTIONS as FUNCTIONS_OF_GRAPHS
from fastconv.onnx._program import Node


def sigmoid(x: np.ndarray) -> np.ndarray:
    power = np.exp(-np.abs(x), dtype=np.promote_types(x.dtype, np.float32))  # which cannot overflow
    return (np.where(x < 0, power, 1) / (1 + power)).astype(x.dtype)


def softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def clip(node: Node, x: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None) -> np.ndarray:
    """min(max(x, low), high)."""
    for bound in low, high:
        if bound is not None and bound.size != 1:
            raise ValueError(f"its bounds must be single numbers, got shape {bound.shape}")
    low = node.attributes.get("min") if low is None else low.reshape(())
    high = node.attributes.get("max") if high is None else high.reshape(())
    x = x if low is None else np.maximum(x, np.asarray(low, x.dtype))
    return x if high is None else np.minimum(x, np.asarray(high, x.dtype))


def leaky_relu(x: np.ndarray, slope: Any) -> np.ndarray:
    return np.where(x < 0, x * slope, x).astype(x.dtype)


def prelu(node: Node, x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """The slope is broadcast to x from the last axis on, and x to nothing."""
    try:
        slope = np.broadcast_to(slope, x.shape)
    except ValueError:
        raise ValueError(f"its slope of shape {slope.shape} cannot be broadcast to x of shape {x.shape}") from None
    return leaky_relu(x, slope)


def hard_sigmoid(x: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return np.clip(alpha * x + beta, 0, 1)


def gelu(node: Node, x: np.ndarray) -> np.ndarray:
    name = "gelu_tanh" if node.attributes["approximate"] == "tanh" else "gelu"
    return FUNCTIONS_OF_GRAPHS[name](x.astype(np.float64)).astype(x.dtype)


def elu(x: np.ndarray, alpha: float, gamma: float = 1.0) -> np.ndarray:
    return np.where(x < 0, gamma * alpha * np.expm1(np.minimum(x, 0)), gamma * x).astype(x.dtype)


def celu(x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0) / alpha), x).astype(x.dtype)


def div(node: Node, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of integers towards 0."""
    if x.dtype.kind in "iu":
        with np.errstate(all="ignore"):
            quotient = x // y
            return (quotient + ((x % y != 0) & ((x < 0) != (y < 0)))).astype(x.dtype)
    return np.divide(x, y)


def reduced(function: Any) -> Any:
    """A sum, product, maximum or mean of all inputs."""
    return lambda node, *arrays: np.asarray(functools.reduce(function, arrays))


def power(node: Node, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of a half NumPy may take the root, which −∞ has not, and which keeps the sign of −0."""
    is_other = (y == 0.5) & ((x == 0) | (x == -np.inf))
    return np.where(is_other, np.abs(x), np.power(x, y)).astype(x.dtype, copy=False)


# By the standard's codes, written out because PyTorch's door has no library of ONNX, the dtypes of NumPy's own, to
# which a Cast is by NumPy.
FLOAT = 1
NUMBERS: dict[int, np.dtype] = {
    code: np.dtype(name)
    for code, name in (
        *((FLOAT, "f4"), (2, "u1"), (3, "i1"), (4, "u2"), (5, "i2"), (6, "i4"), (7, "i8"), (9, "?")),
        *((10, "f2"), (11, "f8"), (12, "u4"), (13, "u8")),
    )
}


def are_numbers(*arrays: np.ndarray) -> bool:
    """Whether NumPy itself casts between the dtypes of these."""
    return all(one.dtype in NUMBERS.values() for one in arrays)


def cast(node: Node, x: np.ndarray) -> np.ndarray:
    """Of floats towards 0, of integers modulo the range."""
    with np.errstate(all="ignore"):  # what is out of range may become anything
        return x.astype(NUMBERS[node.attributes["to"]])


def mod(node: Node, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """With the sign of y, or with `fmod` that of x."""
    return np.asarray((np.fmod if node.attributes["fmod"] else np.mod)(x, y))


def is_inf(node: Node, x: np.ndarray) -> np.ndarray:
    get = node.attributes
    return np.isinf(x) & (((x > 0) & bool(get["detect_positive"])) | ((x < 0) & bool(get["detect_negative"])))


def mean(node: Node, *arrays: np.ndarray) -> np.ndarray:
    return (functools.reduce(np.add, arrays) / len(arrays)).astype(arrays[0].dtype)


def matmul(node: Node, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.matmul(a, b))


def gemm(node: Node, a: np.ndarray, b: np.ndarray, c: np.ndarray | None = None) -> np.ndarray:
    """alpha · A·B + beta · C."""
    get = node.attributes
    product = (a.T if get["transA"] else a) @ (b.T if get["transB"] else b)
    product = product if get["alpha"] == 1 else (product * get["alpha"]).astype(a.dtype)
    if c is None or get["beta"] == 0:
        return product
    if np.broadcast_shapes(product.shape, c.shape) != product.shape:
        raise ValueError(f"C of shape {c.shape} cannot be broadcast to the product of shape {product.shape}")
    return (product + c * get["beta"]).astype(a.dtype)


def _alone(function: Any, *attributes: str) -> Any:
    """A function of x and attributes of the node."""
    return lambda node, x: function(x, *(node.attributes[name] for name in attributes))


def _plain(function: Any) -> Any:
    """A function of the inputs alone."""
    return lambda node, *arrays: np.asarray(function(*arrays))


FUNCTIONS: dict[str, Any] = {
    "Abs": _plain(np.abs),
    "Add": _plain(np.add),
    "And": _plain(np.logical_and),
    "Cast": cast,
    "Ceil": _plain(np.ceil),
    "Celu": lambda node, x: celu(x, node.attributes["alpha"]),
    "Clip": clip,
    "Cos": _plain(np.cos),
    "Div": div,
    "Einsum": lambda node, *arrays: np.asarray(np.einsum(node.attributes["equation"], *arrays, optimize=True)),
    "Elu": _alone(elu, "alpha"),
    "Equal": _plain(np.equal),
    "Erf": lambda node, x: np.asarray(FUNCTIONS_OF_GRAPHS["erf"](x.astype(np.float64))).astype(x.dtype),
    "Exp": _plain(np.exp),
    "Floor": _plain(np.floor),
    "Gelu": gelu,
    "Gemm": gemm,
    "Greater": _plain(np.greater),
    "GreaterOrEqual": _plain(np.greater_equal),
    "HardSigmoid": _alone(hard_sigmoid, "alpha", "beta"),
    "HardSwish": lambda node, x: x * hard_sigmoid(x, 1 / 6, 0.5),
    "IsInf": is_inf,
    "IsNaN": _plain(np.isnan),
    "LeakyRelu": _alone(leaky_relu, "alpha"),
    "Less": _plain(np.less),
    "LessOrEqual": _plain(np.less_equal),
    "Log": _plain(np.log),
    "MatMul": matmul,
    "Max": reduced(np.maximum),
    "Mean": mean,
    "Min": reduced(np.minimum),
    "Mish": lambda node, x: x * np.tanh(softplus(x)),
    "Mod": mod,
    "Mul": _plain(np.multiply),
    "Neg": _plain(np.negative),
    "Not": _plain(np.logical_not),
    "Or": _plain(np.logical_or),
    "PRelu": prelu,
    "Pow": power,
    "Reciprocal": _plain(np.reciprocal),
    "Relu": lambda node, x: np.maximum(x, 0).astype(x.dtype),
    "Round": _plain(np.rint),
    "Selu": _alone(elu, "alpha", "gamma"),
    "Sigmoid": _alone(sigmoid),
    "Sign": _plain(np.sign),
    "Sin": _plain(np.sin),
    "Softplus": _alone(softplus),
    "Softsign": lambda node, x: x / (1 + np.abs(x)),
    "Sqrt": _plain(np.sqrt),
    "Sub": _plain(np.subtract),
    "Sum": reduced(np.add),
    "Swish": lambda node, x: x * sigmoid(node.attributes["alpha"] * x),
    "Tanh": _plain(np.tanh),
    "ThresholdedRelu": lambda node, x: np.where(x > node.attributes["alpha"], x, 0).astype(x.dtype),
    "Where": lambda node, which, x, y: np.where(which, x, y),
    "Xor": _plain(np.logical_xor),
}
