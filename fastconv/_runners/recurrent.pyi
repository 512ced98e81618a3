from numpy import ndarray

from fastconv._runners.runner import Runner

class Recurrence:
    def __init__(self, product: Runner, batch: int, hidden: int, gates: int, itemsize: int) -> None: ...
    @property
    def memory(self) -> int: ...
    def run(
        self,
        projected: ndarray,
        y: ndarray,
        way: int,
        state: list[ndarray],
        gates: ndarray,
        work: ndarray | None,
        is_reverse: bool,
    ) -> None: ...

class GRU(Recurrence):
    def __init__(self, product: Runner, batch: int, hidden: int, gates: int, itemsize: int) -> None: ...

class LSTM(Recurrence):
    def __init__(self, product: Runner, batch: int, hidden: int, gates: int, itemsize: int) -> None: ...
