from numpy import ndarray

from fastconv._cut import Runner
from fastconv._shapes import ConvShape

class Direct(Runner):
    @property
    def multiplications(self) -> int: ...
    def __init__(
        self, shape: ConvShape, weights: ndarray, bias: ndarray, all_finite: bool, activation: str | None
    ) -> None: ...
