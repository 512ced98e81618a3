"""Convolutions, products, norms, pools and other sizes of maps in ONNX's words."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv._graph.operations.resizing import places_of
from fastconv.onnx._in_numpy.elementwise import FLOAT
from fastconv.torch._words import Written


def convolution(
    x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: Any, more: Any, groups: Any
) -> Written:
    attributes = {"group": groups, "strides": stride, "dilations": dilation, "pads": [*padding, *padding]}
    if transposed:
        attributes["output_padding"] = more
    return Written("ConvTranspose" if transposed else "Conv", (x, weight, bias), attributes)


def addmm(bias: Any, x: Any, matrix: Any, *, beta: float = 1, alpha: float = 1) -> Written:
    return Written("Gemm", (x, matrix, bias), {"transA": 0, "transB": 0, "alpha": alpha, "beta": beta})


def bmm(x: Any, y: Any) -> Written | None:
    """With one constant matrix for all, as a layer is written where it does not lie as the pixels of images."""
    is_one = isinstance(y, np.ndarray) and len(y) > 0 and (len(y) == 1 or y.strides[0] == 0)
    return Written("MatMul", (x, y[0]), {}) if is_one else None


def batch_norm(x: Any, weight: Any, bias: Any, mean: Any, variance: Any, momentum: float, epsilon: float) -> Written:
    weight = np.ones_like(mean) if weight is None else weight
    bias = np.zeros_like(mean) if bias is None else bias
    return Written("BatchNormalization", (x, weight, bias, mean, variance), {"epsilon": epsilon})


def _two(value: Any) -> list[int]:
    """A size of each axis, given as one or two."""
    return [*value] if len(value) == 2 else [*value] * 2


def max_pool(
    x: Any, kernel: Any, stride: Any = (), padding: Any = (0,), dilation: Any = (1,), ceil_mode: bool = False
) -> Written:
    return Written("MaxPool", (x,), _windows(kernel, stride, padding, ceil_mode) | {"dilations": _two(dilation)})


def avg_pool(
    x: Any,
    kernel: Any,
    stride: Any = (),
    padding: Any = (0,),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Written | None:
    counts = {"count_include_pad": int(count_include_pad)}
    attributes = _windows(kernel, stride, padding, ceil_mode) | counts
    return Written("AveragePool", (x,), attributes) if divisor_override is None else None


def _windows(kernel: Any, stride: Any, padding: Any, ceil_mode: bool) -> dict[str, Any]:
    strides = _two(stride or kernel)
    return {"kernel_shape": _two(kernel), "strides": strides, "pads": _two(padding) * 2, "ceil_mode": int(ceil_mode)}


def adaptive_pool(kind: str) -> Callable[..., Written | None]:
    """Windows that are all alike."""

    def write(x: Any, size: Any) -> Written | None:
        sizes = x.shape[-2:]
        if 0 in size or any(n % k for n, k in zip(sizes, size, strict=True)):
            return None
        kernel = [n // k for n, k in zip(sizes, size, strict=True)]
        return Written(kind, (x,), _windows(kernel, kernel, [0], False))

    return write


def _resized(x: Any, mode: str, coordinates: str, size: Any, scales: Sequence[float] = ()) -> Written:
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates, "nearest_mode": "floor"}
    if scales:
        return Written("Resize", (x, None, np.array([1, 1, *scales], np.float32)), attributes)
    return Written("Resize", (x, None, None, np.array([*x.shape[:2], *size])), attributes)


def nearest(x: Any, size: Any, *factors: float | None) -> Written | None:
    """To a size, where PyTorch picks the pixels that ONNX does: its kernels round places to either dtype, and use
    factors as they are given, but copy or double what then has once or twice as many pixels.
    """
    for n, new, factor in zip(x.shape[2:], size, factors or [None] * len(size), strict=True):
        wanted = places_of("asymmetric", n, new, new / n) // 1
        for dtype in (np.float32, np.float64) if new not in (n, 2 * n) else ():
            step = dtype(1 / factor) if factor and factor > 0 else dtype(n) / dtype(new)  # others it takes for None
            if (np.minimum(np.arange(new, dtype=dtype) * step // 1, n - 1) != wanted).any():
                return None
    return _resized(x, "nearest", "asymmetric", size)


def linear(x: Any, size: Any, aligned: bool, *factors: float | None) -> Written:
    """To a size, or by factors, which PyTorch uses as they are given, but where it copies."""
    axes = [*zip(x.shape[2:], size, factors or [None] * len(size), strict=True)]
    if aligned or all(factor is None or n == new for n, new, factor in axes):
        return _resized(x, "linear", "align_corners" if aligned else "half_pixel", size)
    scales = [new / n if factor is None or n == new else factor for n, new, factor in axes]
    return _resized(x, "linear", "half_pixel", size, scales)


def nearest_or_by_factors(x: Any, size: Any, factors: Any, *, shape: Shape) -> Written | None:
    return nearest(x, shape[2:], *(factors or ()))


def linear_or_by_factors(x: Any, size: Any, aligned: bool, factors: Any, *, shape: Shape) -> Written:
    return linear(x, shape[2:], aligned, *(factors or ()))


def group_norm(
    x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, cudnn: bool = True
) -> Written:
    vectors = _scale(weight, bias, x.shape[1], x)
    return Written("GroupNormalization", (x, *vectors), {"num_groups": groups, "epsilon": eps})


def native_group_norm(
    x: Any, weight: Any, bias: Any, n: int, channels: int, pixels: int, groups: int, eps: float
) -> Written:
    return group_norm(x, groups, weight, bias, eps)


def instance_norm(
    x: Any, weight: Any, bias: Any, mean: Any, variance: Any, by_x: bool, momentum: float, eps: float, cudnn: bool
) -> Written:
    if not by_x:
        return batch_norm(x, weight, bias, mean, variance, momentum, eps)
    return Written("InstanceNormalization", (x, *_scale(weight, bias, x.shape[1], x)), {"epsilon": eps})


def batch_norm_of_one(x: Any, weight: Any, bias: Any, training: bool, momentum: float, eps: float) -> Written | None:
    """With the statistics of one image, as PyTorch has instance norms."""
    return instance_norm(x, weight, bias, None, None, True, momentum, eps, False) if x.shape[0] == 1 else None


def local_response_norm(x: Any, size: int, alpha: float, beta: float, k: float) -> Written:
    return Written("LRN", (x,), {"size": size, "alpha": alpha, "beta": beta, "bias": k})


def layer_norm(x: Any, shape: Any, weight: Any, bias: Any, eps: float) -> Written | None:
    """Along the last axis."""
    if len(shape) > 1:
        return None
    attributes = {"axis": -1, "epsilon": eps, "stash_type": FLOAT}
    return Written("LayerNormalization", (x, *_scale(weight, bias, shape[0], x)), attributes)


def _scale(weight: Any, bias: Any, size: int, x: Any) -> tuple[Any, Any]:
    """The vectors of a norm, which may be left out."""
    ones, zeros = np.ones(size, x.dtype), np.zeros(size, x.dtype)
    return ones if weight is None else weight, zeros if bias is None else bias
