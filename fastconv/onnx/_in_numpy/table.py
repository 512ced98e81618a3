"""The functions by the names of operators."""

from collections.abc import Callable
from typing import Any

from fastconv.onnx._in_numpy import elementwise, normalizations, resizing, shaping, windows

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **elementwise.FUNCTIONS,
    **normalizations.FUNCTIONS,
    **resizing.FUNCTIONS,
    **shaping.FUNCTIONS,
    **windows.FUNCTIONS,
}
