import numpy as np

from fastconv._checks.types import Bounds

class Finish:
    def __init__(
        self, functions: list[tuple[str, tuple[float, ...], Bounds, tuple[np.ndarray, ...]]], itemsize: int
    ) -> None: ...
