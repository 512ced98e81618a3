from fastconv._checks.types import Bounds
from fastconv._runners.cut import Runner

class Elementwise(Runner):
    def __init__(self, shape: tuple[int, int, int, int], bounds: Bounds, itemsize: int) -> None: ...
