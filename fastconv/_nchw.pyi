from numpy import ndarray

from fastconv._cut import Runner
from fastconv._shapes import ConvShape
from fastconv._typing import Activation

def pack(weight: ndarray, bias: ndarray | None, groups: int) -> tuple[ndarray, ndarray]: ...
def transpose(source: ndarray, target: ndarray, team: tuple[int, int]) -> None: ...

class Pointwise(Runner):
    def __init__(self, shape: ConvShape, weights: ndarray, bias: ndarray, activation: Activation) -> None: ...
