from numpy import ndarray

from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Activation
from fastconv._runners.direct_tiles import DirectTiles

class Direct(DirectTiles):
    @property
    def multiplications(self) -> int: ...
    def __init__(
        self, shape: ConvShape, weights: ndarray, bias: ndarray, all_finite: bool, activation: Activation
    ) -> None: ...
