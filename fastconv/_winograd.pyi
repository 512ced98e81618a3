import numpy as np

from fastconv._cut import Runner
from fastconv._shapes import ConvShape
from fastconv._transforms import Transform

INPUT_COST: float
OUTPUT_COST: float
WEIGHT_COST: float
LANES: int

class Winograd(Runner):
    def __init__(
        self,
        shape: ConvShape,
        weights: np.ndarray,
        bias: np.ndarray,
        direct_weights: np.ndarray,
        all_finite: bool,
        most: float,
        activation: str | None,
        transform: Transform,
    ) -> None: ...
