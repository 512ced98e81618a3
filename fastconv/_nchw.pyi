from numpy import ndarray

from fastconv._cut import Cuttable
from fastconv._shapes import ConvShape

def pack(weight: ndarray, bias: ndarray | None, groups: int) -> tuple[ndarray, ndarray]: ...
def transpose(source: ndarray, target: ndarray, team: int) -> None: ...

class Pointwise(Cuttable):
    tile: str
    workspace_bytes: int
    def __init__(self, shape: ConvShape, weights: ndarray, bias: ndarray, activation: str | None) -> None: ...
    def run(
        self,
        x: ndarray,
        residual: ndarray | None,
        out: ndarray,
        out_stride: int,
        workspace: ndarray | None,
        team: int,
    ) -> None: ...
