from typing import Final

from numpy import ndarray

from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Applied
from fastconv._runners.partition import LoopNest

GAIN: Final[float]
INPUT_COST: Final[int]
OUTPUT_COST: Final[int]
MIN_CHANNELS: Final[int]
MIN_PIXELS: Final[int]
COLUMNS: Final[int]

class Fip(LoopNest):
    def __init__(
        self,
        shape: ConvShape,
        weights: ndarray,
        weight_sums: ndarray,
        column_scales: ndarray,
        bias: ndarray,
        equalizers: ndarray,
        unpacked: ndarray,
        in_range: bool,
        activation: Applied,
    ) -> None: ...
