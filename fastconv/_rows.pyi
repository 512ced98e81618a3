from fastconv._shapes import ConvShape

def is_read_well(shape: ConvShape, pixel_bytes: int, tile_pixels: int) -> bool: ...

class InputRows:
    def __init__(
        self,
        shape: ConvShape,
        all_finite: bool,
        itemsize: int,
        copied_channels: int,
        narrow: bool = False,
        in_place: bool = False,
    ) -> None: ...
    def most(self, room: int) -> int: ...
    def set_longest(self, rows: int) -> None: ...
    def count_taps(self) -> int: ...
