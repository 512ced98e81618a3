from numpy import ndarray

from fastconv._cut import Runner
from fastconv._shapes import ConvShape

def library() -> dict: ...

class Blas(Runner):
    def __init__(self, shape: ConvShape, weights: ndarray, bias: ndarray | None, activation: str | None) -> None: ...
