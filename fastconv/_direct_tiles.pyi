from numpy import ndarray

from fastconv._cut import Runner
from fastconv._shapes import ConvShape

class DirectTiles(Runner):
    def __init__(self, shape: ConvShape, weights: ndarray, bias: ndarray, all_finite: bool) -> None: ...
    def set_segments(self, dilation_w: int) -> None: ...
