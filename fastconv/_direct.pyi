from numpy import ndarray

from fastconv._cut import Cuttable
from fastconv._shapes import ConvShape

class Direct(Cuttable):
    tile: str
    workspace_bytes: int
    @property
    def multiplications(self) -> int: ...
    def __init__(
        self, shape: ConvShape, weights: ndarray, bias: ndarray, all_finite: bool, activation: str | None
    ) -> None: ...
    def run(
        self,
        x: ndarray,
        residual: ndarray | None,
        out: ndarray,
        out_stride: int,
        workspace: ndarray | None,
        team: int,
    ) -> None: ...
