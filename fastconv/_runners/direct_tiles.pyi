from numpy import ndarray

from fastconv._checks.shapes import ConvShape
from fastconv._runners.cut import Runner

class DirectTiles(Runner):
    def __init__(self, shape: ConvShape, weights: ndarray, bias: ndarray, all_finite: bool) -> None: ...
    def set_segments(self, dilation_w: int) -> None: ...
