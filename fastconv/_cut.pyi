from numpy import ndarray

class Runner:
    tile: str
    workspace_bytes: int
    repeats: int
    strips: int
    most_strips: int
    most_parts: int
    @property
    def threads(self) -> int: ...
    memory: int
    def set_team(self, size: int, opened: int) -> None: ...
    def units(self, team: int) -> int: ...
    def run(
        self, x: ndarray, residual: ndarray | None, out: ndarray, out_stride: int, work: ndarray | None
    ) -> None: ...
