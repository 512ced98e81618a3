from typing import Literal

from fastconv._cut import Runner
from fastconv._pool_shapes import PoolShape

class Pool(Runner):
    def __init__(self, shape: PoolShape, kind: Literal["max", "avg"], itemsize: int) -> None: ...
