"""aten's operators in ONNX's words, for which fastconv has translations: `written`.

Each function takes an operator's arguments, of which tensors are what is known of them, and gives a `Written`, or None
where ONNX has no word for them.
"""

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple

import numpy as np
import torch

from fastconv._checks.types import Shape
from fastconv._graph.operations.resizing import places_of
from fastconv.onnx._values import Tensor

_aten = torch.ops.aten


class Written(NamedTuple):
    """A node of ONNX. `results` are those of its aten operator that it gives, the first ones."""

    kind: str
    inputs: Sequence[Any]
    attributes: dict[str, Any]
    results: int = 1


def written(target: Any, args: Sequence[Any], kwargs: dict[str, Any], shape: Shape | None) -> Written | None:
    """An operator's call, whose result has this shape (None of several results), as a node of ONNX."""
    write = OPERATORS.get(target)
    if write is None:
        return None
    return write(*args, **kwargs, **({"shape": shape} if write in _SHAPED else {}))


def _convolution(
    x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: Any, more: Any, groups: Any
) -> Written:
    attributes = {"group": groups, "strides": stride, "dilations": dilation, "pads": [*padding, *padding]}
    if transposed:
        attributes["output_padding"] = more
    return Written("ConvTranspose" if transposed else "Conv", (x, weight, bias), attributes)


def _addmm(bias: Any, x: Any, matrix: Any, *, beta: float = 1, alpha: float = 1) -> Written:
    return Written("Gemm", (x, matrix, bias), {"transA": 0, "transB": 0, "alpha": alpha, "beta": beta})


def _batch_norm(x: Any, weight: Any, bias: Any, mean: Any, variance: Any, momentum: float, epsilon: float) -> Written:
    weight = np.ones_like(mean) if weight is None else weight
    bias = np.zeros_like(mean) if bias is None else bias
    return Written("BatchNormalization", (x, weight, bias, mean, variance), {"epsilon": epsilon})


def _two(value: Any) -> list[int]:
    """A size of each axis, given as one or two."""
    return [*value] if len(value) == 2 else [*value] * 2


def _max_pool(
    x: Any, kernel: Any, stride: Any = (), padding: Any = (0,), dilation: Any = (1,), ceil_mode: bool = False
) -> Written:
    return Written("MaxPool", (x,), _windows(kernel, stride, padding, ceil_mode) | {"dilations": _two(dilation)})


def _avg_pool(
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


def _adaptive_avg_pool(x: Any, size: Any) -> Written | None:
    """Windows that are all alike."""
    sizes = x.shape[-2:]
    if any(n % k for n, k in zip(sizes, size, strict=True)):
        return None
    kernel = [n // k for n, k in zip(sizes, size, strict=True)]
    return Written("AveragePool", (x,), _windows(kernel, kernel, [0], False))


def _reduced(kind: str) -> Callable[..., Written | None]:
    def write(x: Any, axes: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Written | None:
        attributes = {"axes": axes, "keepdims": int(keepdim)}
        return Written(kind, (x,), attributes) if axes and dtype is None else None

    return write


def _sum(kind: str) -> Callable[..., Written | None]:
    def write(x: Any, y: Any, *, alpha: float = 1) -> Written | None:
        return Written(kind, (x, y), {}) if alpha == 1 else None

    return write


def _function(kind: str, *names: str, **fixed: Any) -> Callable[..., Written]:
    """A function of a map whose further arguments are attributes of these names."""

    def write(x: Any, *args: Any, **kwargs: Any) -> Written:
        return Written(kind, (x,), fixed | dict(zip(names, args, strict=False)) | kwargs)

    return write


def _two_maps(kind: str) -> Callable[..., Written]:
    def write(x: Any, y: Any) -> Written:
        return Written(kind, (x, y), {})

    return write


def _power(x: Any, exponent: float) -> Written:
    """PyTorch takes a root where ONNX has a power: that of −∞ is NaN."""
    return Written("Sqrt", (x,), {}) if exponent == 0.5 else Written("Pow", (x, exponent), {})


def _clip(x: Any, low: float | None = None, high: float | None = None) -> Written:
    """With numbers; bounds that are tensors are no numbers of ONNX's attributes."""
    return Written("Clip", (x,), {"min": -inf if low is None else low, "max": inf if high is None else high})


def _hardtanh(x: Any, low: float = -1.0, high: float = 1.0) -> Written:
    return _clip(x, low, high)


def _clip_above(x: Any, high: float) -> Written:
    return _clip(x, None, high)


def _sigmoid_times_x(x: Any) -> Written:
    return Written("Swish", (x,), {"alpha": 1.0})


def _leaky_relu(x: Any, slope: float = 0.01) -> Written:
    return Written("LeakyRelu", (x,), {"alpha": slope})


def _prelu(x: Any, slope: Any) -> Written:
    return Written("PRelu", (x, slope), {})


def _elu(x: Any, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Written | None:
    return Written("Elu", (x,), {"alpha": alpha}) if scale == input_scale == 1 else None


def _softmax(x: Any, axis: int, half_to_float: bool) -> Written | None:
    return None if half_to_float else Written("Softmax", (x,), {"axis": axis})


def _concat(maps: Any, axis: int = 0) -> Written:
    return Written("Concat", maps, {"axis": axis})


def _split(x: Any, sizes: Any, axis: int = 0) -> Written:
    """Into parts of one size, the last of which may be smaller, or of these sizes."""
    whole = x.shape[axis]
    parts = [min(sizes, whole - i) for i in range(0, whole, sizes)] if isinstance(sizes, int) else sizes
    return Written("Split", (x, np.array(parts)), {"axis": axis}, len(parts))


def _slice(x: Any, axis: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Written:
    size = x.shape[axis]
    start, end, step = slice(start, end, step).indices(size)
    return Written("Slice", (x, *(np.array([number]) for number in (start, end, axis, step))), {})


def _resized(x: Any, mode: str, coordinates: str, size: Any, scales: Sequence[float] = ()) -> Written:
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates, "nearest_mode": "floor"}
    if scales:
        return Written("Resize", (x, None, np.array([1, 1, *scales], np.float32)), attributes)
    return Written("Resize", (x, None, None, np.array([*x.shape[:2], *size])), attributes)


def _nearest(x: Any, size: Any, *factors: float | None) -> Written | None:
    """To a size, where PyTorch picks the pixels that ONNX does: its kernels round places to either dtype, and use
    factors as they are given, but copy or double what then has once or twice as many pixels.
    """
    for n, new, factor in zip(x.shape[2:], size, factors or (None, None), strict=True):
        wanted = places_of("asymmetric", n, new, new / n) // 1
        for dtype in (np.float32, np.float64) if new not in (n, 2 * n) else ():
            step = dtype(1 / factor) if factor and factor > 0 else dtype(n) / dtype(new)  # others it takes for None
            if (np.minimum(np.arange(new, dtype=dtype) * step // 1, n - 1) != wanted).any():
                return None
    return _resized(x, "nearest", "asymmetric", size)


def _bilinear(x: Any, size: Any, aligned: bool, *factors: float | None) -> Written:
    """To a size, or by factors, which PyTorch uses as they are given, but where it copies."""
    axes = [*zip(x.shape[2:], size, factors or (None, None), strict=True)]
    if aligned or all(factor is None or n == new for n, new, factor in axes):
        return _resized(x, "linear", "align_corners" if aligned else "half_pixel", size)
    scales = [new / n if factor is None or n == new else factor for n, new, factor in axes]
    return _resized(x, "linear", "half_pixel", size, scales)


def _softplus(x: Any, beta: float = 1, threshold: float = 20) -> Written | None:
    return Written("Softplus", (x,), {}) if beta == 1 and threshold >= 20 else None


def _pad(x: Any, pads: Any, value: float = 0.0) -> Written:
    """torch's pads are pairs, that of the last axis first."""
    pairs = [(0, 0)] * (len(x.shape) - len(pads) // 2) + [*zip(pads[::2], pads[1::2], strict=True)][::-1]
    sides = [side for side, _ in pairs] + [side for _, side in pairs]
    return Written("Pad", (x, np.array(sides)), {"mode": "constant", "value": value})


def _reshape(x: Any, *args: Any, shape: Shape, **kwargs: Any) -> Written:
    return Written("Reshape", (x, np.array(shape)), {"allowzero": 1})


def _permute(x: Any, order: Any) -> Written:
    return Written("Transpose", (x,), {"perm": [axis % len(x.shape) for axis in order]})


def _transpose(x: Any, first: int, second: int) -> Written:
    order = [*range(len(x.shape))]
    order[first], order[second] = order[second], order[first]
    return _permute(x, order)


def _identity(x: Any, *args: Any, **kwargs: Any) -> Written:
    return Written("Identity", (x,), {})


def _expand(x: Any, *args: Any, shape: Shape, **kwargs: Any) -> Written | None:
    """To the shape that it has."""
    return _identity(x) if isinstance(x, Tensor) and x.shape == shape else None


PARAMETERS = {_aten.convolution.default: (1, 2), _aten._native_batch_norm_legit_no_training.default: (1, 2, 3, 4)}

_SHAPED = (_reshape, _expand)  # which take the shape of the result
OPERATORS: dict[Any, Callable[..., Written | None]] = {
    _aten.convolution.default: _convolution,
    _aten.addmm.default: _addmm,
    _aten.mm.default: _two_maps("MatMul"),
    _aten._native_batch_norm_legit_no_training.default: _batch_norm,
    _aten.max_pool2d_with_indices.default: _max_pool,
    _aten.avg_pool2d.default: _avg_pool,
    _aten._adaptive_avg_pool2d.default: _adaptive_avg_pool,
    _aten.mean.dim: _reduced("ReduceMean"),
    _aten.amax.default: _reduced("ReduceMax"),
    _aten.relu.default: _function("Relu"),
    _aten.hardtanh.default: _hardtanh,
    _aten.clamp.default: _clip,
    _aten.clamp_min.default: _clip,
    _aten.clamp_max.default: _clip_above,
    _aten.sigmoid.default: _function("Sigmoid"),
    _aten.tanh.default: _function("Tanh"),
    _aten.silu.default: _sigmoid_times_x,
    _aten.hardsigmoid.default: _function("HardSigmoid", alpha=1 / 6, beta=0.5),
    _aten.hardswish.default: _function("HardSwish"),
    _aten.leaky_relu.default: _leaky_relu,
    _aten._prelu_kernel.default: _prelu,
    _aten.elu.default: _elu,
    _aten.gelu.default: _function("Gelu", approximate="none"),
    _aten.mish.default: _function("Mish"),
    _aten.softplus.default: _softplus,
    _aten.neg.default: _function("Neg"),
    _aten.add.Tensor: _sum("Add"),
    _aten.sub.Tensor: _sum("Sub"),
    _aten.mul.Tensor: _two_maps("Mul"),
    _aten.div.Tensor: _two_maps("Div"),
    _aten.pow.Tensor_Scalar: _power,
    _aten._softmax.default: _softmax,
    _aten.cat.default: _concat,
    _aten.split.Tensor: _split,
    _aten.split_with_sizes.default: _split,
    _aten.slice.Tensor: _slice,
    _aten.upsample_nearest2d.default: _nearest,
    _aten.upsample_bilinear2d.default: _bilinear,
    _aten.constant_pad_nd.default: _pad,
    _aten.view.default: _reshape,
    _aten._unsafe_view.default: _reshape,
    _aten.squeeze.dim: _reshape,
    _aten.squeeze.dims: _reshape,
    _aten.unsqueeze.default: _reshape,
    _aten.permute.default: _permute,
    _aten.transpose.int: _transpose,
    _aten.expand.default: _expand,
    _aten.as_strided.default: _identity,  # where the binding finds that it is
    **dict.fromkeys((_aten.clone.default, _aten.alias.default, _aten.detach.default), _identity),
}
