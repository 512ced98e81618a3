from typing import Final

import numpy as np

from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Applied
from fastconv._runners.transforms import Transform
from fastconv._runners.winograd import Winograd

WEIGHT_COST: Final[int]

class WinogradOnTheFly(Winograd):
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
