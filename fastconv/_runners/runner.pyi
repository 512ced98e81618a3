from numpy import ndarray

class Runner:
    @property
    def threads(self) -> int: ...
    @property
    def memory(self) -> int: ...
    @property
    def overwrites(self) -> bool: ...
    def set_team(self, threads: int, useful: int) -> None: ...
    def run(
        self,
        inputs: list[ndarray],
        outputs: list[tuple[ndarray, int]],
        work: ndarray | None,
        times: ndarray | None = None,
    ) -> None: ...
