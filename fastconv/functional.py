"""The functions: each builds a plan and runs it once. Plans of small layers are kept for calls with equal weights."""

from functools import lru_cache
from typing import Any

import numpy as np

from fastconv._checks import arrays
from fastconv._checks.types import Accuracy, Activation, AlgorithmName, Array, Float, Layout, Padding, Pair, Shape
from fastconv._planning import teams
from fastconv._planning.conv_plan import ConvPlan
from fastconv.conv import declared

_SMALL = 16 * 1024  # bytes of weights, whose hash is found in less time than a plan is built
_KEPT = 32  # plans: weights of one output channel may be packed in 0.5 MB, others in 0.1 MB at most


def conv2d(
    x: Array[Float],
    weight: Array[Float],
    bias: Array[Float] | None = None,
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    activation: Activation = None,
    residual: Array[Float] | None = None,
    layout: Layout = "NHWC",
    algorithm: AlgorithmName = "auto",
    accuracy: Accuracy = "normwise",
    out: Array[Float] | None = None,
    num_threads: int | None = None,
) -> Array[Float]:
    """Convolve x with weight: y = activation(conv(x, weight) + bias + residual).

    y[n, p, q, k] = Σ x[n, p·stride + r·dilation − top, q·stride + s·dilation − left, c] · weight[r, s, c, k]
    over r, s, c, with zeros outside of x (no flip of the kernel, as in every deep-learning library).

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, C) or (H, W, C); (N, C, H, W) or (C, H, W) in layout NCHW
    weight, bias, stride, padding, dilation, groups, activation, layout, algorithm, accuracy, num_threads
        As in `Conv2d`, the plan: make one where the same weights are used again, since they are packed once there.
        (The last 32 plans of weights of at most 16 KB are kept here too, for calls with equal ones.)
    residual, out
        As in `Conv2d.__call__`.

    Returns
    -------
    ndarray of shape (N, P, Q, K) or (P, Q, K); (N, K, P, Q) or (K, P, Q) in layout NCHW

    Raises
    ------
    TypeError, ValueError
        Naming the argument, before any work.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> x = np.arange(9, dtype=np.float32).reshape(3, 3, 1)
    >>> fastconv.conv2d(x, np.ones((3, 3, 1, 1), np.float32), padding=1)[..., 0]
    array([[ 8., 15., 12.],
           [21., 36., 27.],
           [20., 33., 24.]], dtype=float32)
    """
    dtype = arrays.native_dtype(arrays.check("x", x))
    arrays.check("weight", weight, dtype, other="x")  # x says which dtype: in a plan it is the weight
    geometry = stride, padding, dilation, groups, layout
    plan = _plan(weight, bias, geometry, activation, algorithm, accuracy, num_threads)
    return plan(x, residual=residual, out=out)


def pointwise(
    x: Array[Float],
    weight: Array[Float],
    bias: Array[Float] | None = None,
    *,
    stride: Pair = 1,
    activation: Activation = None,
    residual: Array[Float] | None = None,
    layout: Layout = "NHWC",
    algorithm: AlgorithmName = "auto",
    accuracy: Accuracy = "normwise",
    out: Array[Float] | None = None,
    num_threads: int | None = None,
) -> Array[Float]:
    """Convolve x with a 1×1 kernel: y[n, p, q] = activation(x[n, p·stride, q·stride] @ weight + bias + residual).

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, C) or (H, W, C); (N, C, H, W) or (C, H, W) in layout NCHW
    weight : ndarray of shape (C, K); (K, C) in layout NCHW
    bias, stride, activation, layout, algorithm, accuracy, num_threads
        As in `Conv2d`.
    residual, out
        As in `Conv2d.__call__`.

    Returns
    -------
    ndarray of shape (N, P, Q, K) or (P, Q, K); (N, K, P, Q) or (K, P, Q) in layout NCHW

    Raises
    ------
    TypeError, ValueError
        Naming the argument, before any work.

    References
    ----------
    Lin, Chen and Yan, "Network in Network", arXiv:1312.4400, section 3.1.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> x = np.ones((2, 2, 3), np.float32)
    >>> fastconv.pointwise(x, np.array([[1, 0], [2, 0], [3, 1]], np.float32))[0, 0]
    array([6., 1.], dtype=float32)
    """
    kernel = arrays.as_kernel(x, weight, bias, layout)
    geometry = stride, 0, 1, 1, layout
    plan = _plan(kernel, bias, geometry, activation, algorithm, accuracy, num_threads)
    return plan(x, residual=residual, out=out)


def _plan(weight: Any, bias: Any, *options: Any) -> ConvPlan:
    """A plan as `_made` makes it, or that of an earlier call where all is the same: arrays by their values."""
    if not (_is_small(weight) and (bias is None or _is_small(bias)) and _is_plain(options)):
        return _made(weight, bias, *options)
    return _kept(_frozen(weight), None if bias is None else _frozen(bias), *options)


def _is_small(array: Any) -> bool:
    return type(array) is np.ndarray and array.nbytes <= _SMALL and array.dtype in arrays.DTYPES


def _is_plain(option: Any) -> bool:
    """Whether values that equal it are the same: of integers, strings, None, tuples of them; not of 1, 1.0, True."""
    kind = type(option)
    return kind is int or kind is str or option is None or (kind is tuple and all(map(_is_plain, option)))


def _frozen(array: np.ndarray) -> tuple[bytes, str, Shape]:
    return array.tobytes(), array.dtype.str, array.shape


@lru_cache(maxsize=_KEPT)
def _kept(weight: tuple[bytes, str, Shape], bias: tuple[bytes, str, Shape] | None, *options: Any) -> ConvPlan:
    return _made(_thawed(weight), None if bias is None else _thawed(bias), *options)


def _thawed(frozen: tuple[bytes, str, Shape]) -> np.ndarray:
    values, dtype, shape = frozen
    return np.frombuffer(values, dtype).reshape(shape)


def _made(
    weight: Any, bias: Any, geometry: tuple[Any, ...], activation: Any, algorithm: Any, accuracy: Any, num_threads: Any
) -> ConvPlan:
    """The plan of what a user gave, checked."""
    conv = declared(weight, bias, geometry, activation, algorithm, accuracy)
    return ConvPlan(conv, conv.arrays[0].dtype, teams.checked(num_threads))
