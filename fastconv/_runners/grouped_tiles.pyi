from numpy import ndarray

from fastconv._checks.shapes import ConvShape
from fastconv._runners.direct_tiles import DirectTiles

class GroupedTiles(DirectTiles):
    def __init__(self, shape: ConvShape, weights: ndarray, bias: ndarray, all_finite: bool) -> None: ...
