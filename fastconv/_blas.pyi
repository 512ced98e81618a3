from numpy import ndarray

from fastconv._shapes import ConvShape

def library() -> dict: ...

class Blas:
    tile: str
    workspace_bytes: int
    def __init__(self, shape: ConvShape, weights: ndarray, bias: ndarray | None, activation: str | None) -> None: ...
    def run(
        self,
        x: ndarray,
        residual: ndarray | None,
        out: ndarray,
        out_stride: int,
        workspace: ndarray | None,
        team: int,
    ) -> None: ...
