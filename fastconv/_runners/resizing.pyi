import numpy as np

from fastconv._runners.partition import LoopNest

class Linear(LoopNest):
    def __init__(
        self,
        x_shape: tuple[int, int, int, int],
        out_shape: tuple[int, int, int, int],
        rows: tuple[np.ndarray, np.ndarray],
        columns: tuple[np.ndarray, np.ndarray],
        dtype: np.dtype,
    ) -> None: ...
