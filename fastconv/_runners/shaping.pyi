import numpy as np

from fastconv._runners.partition import LoopNest

def transpose(source: np.ndarray, target: np.ndarray, rows: int, team: tuple[int, int]) -> None: ...

class Flatten(LoopNest):
    def __init__(self, x_shape: tuple[int, int, int, int], itemsize: int) -> None: ...
