from fastconv._checks.types import Sides
from fastconv._runners.partition import LoopNest

class Pad(LoopNest):
    def __init__(
        self,
        x_shape: tuple[int, int, int, int],
        out_shape: tuple[int, int, int, int],
        padding: Sides,
        value: float,
        itemsize: int,
    ) -> None: ...

class Flatten(LoopNest):
    def __init__(self, x_shape: tuple[int, int, int, int], itemsize: int) -> None: ...
