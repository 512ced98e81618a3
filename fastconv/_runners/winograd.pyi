from typing import Final

import numpy as np

from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Applied
from fastconv._runners.partition import LoopNest
from fastconv._runners.transforms import Transform

INPUT_COST: Final[int]
OUTPUT_COST: Final[int]
LANES: Final[int]
RANGE: Final[int]

def max_block_tiles(transform: Transform, group_in: int, itemsize: int, reads_weights_anew: bool) -> int: ...

class Winograd(LoopNest):
    def __init__(
        self,
        shape: ConvShape,
        weights: np.ndarray,
        bias: np.ndarray,
        direct_weights: np.ndarray,
        all_finite: bool,
        max_squares: float,
        activation: Applied,
        transform: Transform,
    ) -> None: ...
