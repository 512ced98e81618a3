from typing import Literal

from fastconv._checks.pool_shapes import PoolShape
from fastconv._runners.partition import LoopNest

class Pool(LoopNest):
    def __init__(self, shape: PoolShape, kind: Literal["max", "avg", "sum"], itemsize: int) -> None: ...
