from fastconv._runners.cut import Runner

class Elementwise(Runner):
    def __init__(self, shape: tuple[int, int, int, int], relu: bool, itemsize: int) -> None: ...
