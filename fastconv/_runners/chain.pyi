from fastconv._runners.buffer_slice import BufferSlice
from fastconv._runners.partition import Runner

class Chain(Runner):
    @property
    def arena_bytes(self) -> int: ...
    def __init__(
        self, steps: list[tuple[Runner, BufferSlice, BufferSlice | None, BufferSlice, int]], arena_bytes: int
    ) -> None: ...
