"""The functions by the names of operators."""

from collections.abc import Callable
from typing import Any

from fastconv.onnx._in_numpy import (
    boxes,
    elementwise,
    indexing,
    normalizations,
    recurrent,
    reductions,
    resizing,
    sampling,
    shaping,
    windows,
)

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **boxes.FUNCTIONS,
    **elementwise.FUNCTIONS,
    **indexing.FUNCTIONS,
    **normalizations.FUNCTIONS,
    **recurrent.FUNCTIONS,
    **reductions.FUNCTIONS,
    **resizing.FUNCTIONS,
    **sampling.FUNCTIONS,
    **shaping.FUNCTIONS,
    **windows.FUNCTIONS,
}

# Those that add or multiply many values: of 16 bits, in float32, and the result is rounded once.
SUMS = (
    *(f"Reduce{kind}" for kind in ("L1", "L2", "LogSum", "LogSumExp", "Mean", "Prod", "Sum", "SumSquare")),
    *("ConvTranspose", "CumProd", "CumSum", "Einsum", "LogSoftmax", "Mean", "RoiAlign", "Softmax", "Sum"),
)
