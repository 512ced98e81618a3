from fastconv._runners.cut import Runner
from fastconv._runners.place import Place

class Chain(Runner):
    @property
    def arena_bytes(self) -> int: ...
    def __init__(self, steps: list[tuple[Runner, Place, Place | None, Place, int]], arena_bytes: int) -> None: ...
