from fastconv._runners.buffer_slice import BufferSlice
from fastconv._runners.runner import Runner

class Chain(Runner):
    def __init__(
        self, steps: list[tuple[Runner, BufferSlice, BufferSlice | None, BufferSlice, int]], memory: int
    ) -> None: ...
