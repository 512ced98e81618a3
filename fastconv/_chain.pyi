from fastconv._cut import Runner
from fastconv._planning.memory import Place

class Chain(Runner):
    arena_bytes: int
    def __init__(self, steps: list[tuple[Runner, Place, Place | None, Place]], arena_bytes: int) -> None: ...
