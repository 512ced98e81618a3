from numpy import ndarray

from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Bounds
from fastconv._runners.partition import Runner

def describe() -> tuple[str | None, str | None, int | None]: ...

class Blas(Runner):
    def __init__(self, shape: ConvShape, weights: ndarray, bias: ndarray | None, bounds: Bounds) -> None: ...
