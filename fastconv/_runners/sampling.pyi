from fastconv._runners.partition import LoopNest

class Sample(LoopNest):
    def __init__(
        self,
        x_shape: tuple[int, int, int, int],
        out_shape: tuple[int, int, int, int],
        double_precision: bool,
        padding: str,
        is_aligned: bool,
        is_nearest: bool,
    ) -> None: ...
