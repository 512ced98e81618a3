from typing import Any

import numpy as np

DTYPES: tuple[np.dtype, np.dtype]

def check(
    name: str, value: Any, dtype: np.dtype | None = None, shape: tuple[int, ...] | None = None, other: str = "weight"
) -> np.dtype: ...
def contiguous(value: np.ndarray, dtype: np.dtype) -> np.ndarray: ...
def array(
    name: str, value: Any, dtype: np.dtype | None = None, shape: tuple[int, ...] | None = None, other: str = "weight"
) -> np.ndarray: ...
def output(
    value: Any,
    dtype: np.dtype,
    shape: tuple[int, ...],
    layout: str,
    x: np.ndarray | None = None,
    residual: np.ndarray | None = None,
) -> tuple[np.ndarray, int]: ...
def pixel_stride(array: np.ndarray) -> int: ...
def result_shape(nhwc: tuple[int, ...], ndim: int, layout: str) -> tuple[int, ...]: ...
def as_kernel(weight: Any, layout: str) -> np.ndarray: ...
