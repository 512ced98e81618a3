from typing import Literal

from numpy import ndarray

from fastconv._cut import Runner
from fastconv._pool_shapes import PoolShape

class Bound:
    def __init__(self, num_threads: int | None, useful: int) -> None: ...
    @property
    def useful(self) -> int: ...
    @property
    def runner(self) -> Runner: ...
    def runner_for(self, threads: int) -> Runner: ...
    def run(self, x: ndarray, residual: ndarray | None, out: ndarray, out_stride: int) -> None: ...

class BoundPool(Bound):
    def __init__(
        self, shape: PoolShape, kind: Literal["max", "avg"], itemsize: int, num_threads: int | None
    ) -> None: ...
