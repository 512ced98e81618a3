import numpy as np

from fastconv._checks.types import Bounds
from fastconv._runners.partition import LoopNest

class Elementwise(LoopNest):
    def __init__(
        self,
        function: str,
        shape: tuple[int, int, int, int],
        itemsize: int,
        numbers: tuple[float, ...] = ...,
        bounds: Bounds = ...,
        vectors: tuple[np.ndarray, ...] = ...,
        wide: int = ...,
        smaller: tuple[int, tuple[bool, bool]] | None = ...,
        window: tuple[int, int] | None = ...,
    ) -> None: ...

class Instances(Elementwise):
    def __init__(
        self,
        function: str,
        shape: tuple[int, int, int, int],
        itemsize: int,
        numbers: tuple[float, ...],
        vectors: tuple[np.ndarray, ...],
        group: int,
    ) -> None: ...

class Along(LoopNest):
    def __init__(self, function: str, shape: tuple[int, int, int, int], itemsize: int, axis: int) -> None: ...
