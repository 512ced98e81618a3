from numpy import ndarray

from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Applied
from fastconv._runners.partition import LoopNest

class Direct(LoopNest):
    @property
    def multiplications(self) -> int: ...
    def __init__(
        self, shape: ConvShape, weights: ndarray, bias: ndarray, all_finite: bool, activation: Applied
    ) -> None: ...
