from numpy import ndarray

from fastconv._shapes import PoolShape

class Pool:
    def __init__(self, shape: PoolShape, kind: str) -> None: ...
    def run(self, x: ndarray, out: ndarray, out_stride: int, team: int) -> None: ...
