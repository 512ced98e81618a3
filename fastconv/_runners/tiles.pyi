from numpy import dtype

from fastconv._checks.shapes import ConvShape
from fastconv._runners.transforms import Transform

class Tiles:
    @property
    def count(self) -> int: ...
    def __init__(self, shape: ConvShape, dtype: dtype, all_finite: bool, transform: Transform) -> None: ...
