from numpy import ndarray

from fastconv._cut import Runner
from fastconv._shapes import ConvShape
from fastconv._typing import Activation

def describe() -> tuple[str | None, str | None, int | None]: ...

class Blas(Runner):
    def __init__(self, shape: ConvShape, weights: ndarray, bias: ndarray | None, activation: Activation) -> None: ...
