from fastconv._cut import Runner
from fastconv._shapes import PoolShape

class Pool(Runner):
    def __init__(self, shape: PoolShape, kind: str, itemsize: int) -> None: ...
