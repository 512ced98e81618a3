from fastconv._cut import Runner
from fastconv._place import Place

class Chain(Runner):
    @property
    def arena_bytes(self) -> int: ...
    def __init__(self, steps: list[tuple[Runner, Place, Place | None, Place]], arena_bytes: int) -> None: ...
