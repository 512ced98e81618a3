"""The types that several signatures name: arrays, sizes and the choices among strings."""

from typing import Any, Literal, TypeVar

import numpy as np

Float = TypeVar("Float", bound=np.float32 | np.float64)
Array = np.ndarray[tuple[Any, ...], np.dtype[Float]]  # numpy.typing.NDArray, without importing that module
Out = Array[Float] | tuple[Array[Float], ...] | None
WeightAndBias = tuple[Array[Any], Array[Any] | None]

Shape = tuple[int, ...]
Size = tuple[int, int]  # (height, width)
Sides = tuple[Size, Size]  # ((top, bottom), (left, right))
Pair = int | Size
Padding = int | Size | Sides | Literal["same", "valid"]

Bounds = tuple[float, float]  # (low, high), either may be infinite
Applied = tuple[float, float, np.ndarray | None]  # to each sum: bounds, or slopes
Activation = Literal["relu", "relu6"] | Bounds | None
AlgorithmName = Literal["auto", "direct", "winograd", "fip", "blas"]
Accuracy = Literal["normwise", "componentwise"]
Layout = Literal["NHWC", "NCHW"]
StrideIn = Literal["conv", "reduce"]
PadMode = Literal["constant", "reflect", "edge", "wrap"]
ChannelOrder = Literal["DCR", "CRD"]
ImageAxis = Literal["height", "width", "channels"]
Coordinates = Literal["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"]
Rounding = Literal["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]
