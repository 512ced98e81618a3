from numpy import dtype, ndarray

from fastconv._shapes import ConvShape

def pack(weight: ndarray, groups: int) -> ndarray: ...
def pack_bias(bias: ndarray | None, groups: int, group_in: int, out_channels: int, dtype: dtype) -> ndarray: ...
def aligned(shape: tuple[int, ...], dtype: dtype) -> ndarray: ...

class Direct:
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
