import numpy as np

from fastconv._runners.partition import LoopNest

class Pick(LoopNest):
    def __init__(
        self,
        x_shape: tuple[int, int, int, int],
        out_shape: tuple[int, int, int, int],
        rows: np.ndarray,
        columns: np.ndarray,
        chunk: int,
        value: float,
        dtype: np.dtype,
    ) -> None: ...
