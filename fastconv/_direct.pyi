from numpy import ndarray

from fastconv._direct_tiles import DirectTiles
from fastconv._shapes import ConvShape
from fastconv._typing import Activation

class Direct(DirectTiles):
    @property
    def multiplications(self) -> int: ...
    def __init__(
        self, shape: ConvShape, weights: ndarray, bias: ndarray, all_finite: bool, activation: Activation
    ) -> None: ...
