from typing import ClassVar

from numpy import ndarray

from fastconv._runners.partition import LoopNest

class Attention(LoopNest):
    max_biases: ClassVar[int]
    def __init__(
        self,
        shape: tuple[int, int, int, int, int, int],
        scale: float,
        itemsize: int,
        stacks: list[tuple[ndarray, int, bool]],
    ) -> None: ...
