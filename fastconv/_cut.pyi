from numpy import ndarray

class Runner:
    tile: str
    workspace_bytes: int
    repeats: int
    strips: int
    most_strips: int
    most_parts: int
    team: int
    @property
    def memory(self) -> int: ...
    def set_team(self, team: int) -> None: ...
    def units(self, team: int) -> int: ...
    def run(
        self, x: ndarray, residual: ndarray | None, out: ndarray, out_stride: int, work: ndarray | None, alone: bool
    ) -> None: ...
