"""A budget of bytes for each array of a model: a few bytes of a file may ask for more than any memory has.

What an operator makes of few values, such as the constant of a shape, is estimated before it is computed.
"""

from collections.abc import Callable
from math import ceil, prod
from typing import Any

import numpy as np

from fastconv.onnx._fusion import DOMAIN
from fastconv.onnx._program import Node
from fastconv.onnx._windows import transposed_windows

Estimate = Callable[..., tuple[float, ...]]  # of a node and what it reads, the shape of its result


def check(node: Node, inputs: list[Any], max_bytes: int) -> None:
    """ValueError where a result of a node, whose inputs are arrays or have shapes, is known to be larger."""
    estimate = {"": _SHAPES, DOMAIN: _GATHERED}.get(node.domain, {}).get(node.kind)
    if estimate is None:
        return
    try:
        shape, itemsize = estimate(node, *inputs), _itemsize(node, inputs)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return  # not known before it is computed, or wrong: then an error tells why
    check_size(shape, itemsize, max_bytes)


def check_size(shape: tuple[float, ...], itemsize: int, max_bytes: int) -> None:
    nbytes = prod(map(float, shape)) * itemsize
    if nbytes > max_bytes:
        told = ", ".join(str(int(size)) for size in shape)
        raise ValueError(
            f"its result of shape ({told}) takes {nbytes:,.0f} bytes, more than max_bytes, {max_bytes:,}; "
            "load(…, max_bytes=…) allows more"
        )


def _itemsize(node: Node, inputs: list[Any]) -> int:
    """The bytes of each value of the result, whose dtype is that of the first input, where no table has another."""
    if node.kind in _COMPARISONS:
        return 1
    if node.kind in _RANDOM:
        from fastconv.onnx._tensors import dtype  # with the library onnx, which the door of PyTorch goes without

        return dtype(node.attributes.get("dtype", 1), "dtype").itemsize
    if node.kind == "ConstantOfShape":
        return node.attributes["value"].dtype.itemsize if "value" in node.attributes else 4
    typed = inputs[_TYPED.get(node.kind, 0)]
    return int(typed.dtype.itemsize)


def _broadcast(node: Node, *inputs: Any) -> tuple[float, ...]:
    return np.broadcast_shapes(*(one.shape for one in inputs if hasattr(one, "shape")))


def _product(node: Node, x: Any, y: Any) -> tuple[float, ...]:
    """Of matrices, or of stacks of them."""
    if min(len(x.shape), len(y.shape)) < 2:
        return ()
    return (*np.broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1])


def _attention(node: Node, q: Any, k: Any, v: Any, *biases: Any) -> tuple[float, ...]:
    return (*node.attributes["stacks"][1], q.shape[-2], v.shape[-1])


def _numbers(array: Any) -> tuple[float, ...]:
    if not isinstance(array, np.ndarray):
        raise TypeError
    return tuple(array.ravel().tolist())


def _conv_transpose(node: Node, x: Any, weight: Any, *others: Any) -> tuple[float, ...]:
    sizes = transposed_windows(node, x.shape, weight.shape).sizes
    return x.shape[0], weight.shape[1] * node.attributes["group"], *sizes


def _expand(node: Node, x: Any, shape: Any) -> tuple[float, ...]:
    sizes = _numbers(shape)
    missing = max(len(x.shape), len(sizes))
    ones = (1.0,) * missing
    first, second = ((*ones[: missing - len(one)], *one) for one in (x.shape, sizes))
    return tuple(max(a, b) for a, b in zip(first, second, strict=True))


def _tile(node: Node, x: Any, repeats: Any) -> tuple[float, ...]:
    return tuple(size * times for size, times in zip(x.shape, _numbers(repeats), strict=True))


def _range(node: Node, start: Any, limit: Any, delta: Any) -> tuple[float, ...]:
    (first,), (end,), (step,) = map(_numbers, (start, limit, delta))
    return (max(ceil((end - first) / step), 0) if step else 0,)


def _one_hot(node: Node, indices: Any, depth: Any, values: Any) -> tuple[float, ...]:
    return (*indices.shape, *_numbers(depth))


def _pad(node: Node, x: Any, pads: Any = None, *others: Any) -> tuple[float, ...]:
    numbers = tuple(node.attributes["pads"]) if pads is None else _numbers(pads)
    axes = len(x.shape)
    return tuple(size + numbers[i] + numbers[i + axes] for i, size in enumerate(x.shape))


def _resize(node: Node, x: Any, roi: Any = None, scales: Any = None, sizes: Any = None) -> tuple[float, ...]:
    if sizes is not None and sizes.size:
        return _numbers(sizes)
    return _tile(node, x, scales)


def _upsample(node: Node, x: Any, scales: Any = None) -> tuple[float, ...]:
    return _tile(node, x, np.array(node.attributes["scales"]) if scales is None else scales)


_ARITHMETIC = ("Add", "Div", "Max", "Mean", "Min", "Mod", "Mul", "Pow", "Sub", "Sum", "Where")
_COMPARISONS = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
_RANDOM = "RandomNormal", "RandomUniform"
_TYPED = {"OneHot": 2, "Where": 1}  # the input whose dtype the result has
_BITS = ("And", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Or", "Xor")
_SHAPES: dict[str, Estimate] = {
    **dict.fromkeys((*_ARITHMETIC, *_COMPARISONS, *_BITS), _broadcast),
    "ConstantOfShape": lambda node, shape: _numbers(shape),
    "ConvTranspose": _conv_transpose,
    "Expand": _expand,
    "GridSample": lambda node, x, grid: (*x.shape[:2], *grid.shape[1:-1]),
    "MatMul": _product,
    "OneHot": _one_hot,
    "Pad": _pad,
    **dict.fromkeys(_RANDOM, lambda node: tuple(node.attributes["shape"])),
    "Range": _range,
    "Resize": _resize,
    "Tile": _tile,
    "Upsample": _upsample,
}
_GATHERED: dict[str, Estimate] = {"Attention": _attention}
