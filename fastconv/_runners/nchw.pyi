from numpy import ndarray

from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Applied
from fastconv._runners.partition import LoopNest

def pack(weight: ndarray, bias: ndarray | None, groups: int) -> tuple[ndarray, ndarray]: ...

class Pointwise(LoopNest):
    def __init__(self, shape: ConvShape, weights: ndarray, bias: ndarray, activation: Applied) -> None: ...
