from numpy import ndarray

from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Applied
from fastconv._runners.partition import LoopNest

def describe() -> tuple[str | None, str | None, int | None]: ...

class Product(LoopNest):
    def __init__(
        self,
        shape: tuple[int, int, int, int],
        is_double: bool,
        first: tuple[ndarray, int, bool],
        second: tuple[ndarray, int, bool],
    ) -> None: ...

class Blas(LoopNest):
    def __init__(self, shape: ConvShape, weights: ndarray, bias: ndarray | None, activation: Applied) -> None: ...
