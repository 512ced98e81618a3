from typing import Final

from fastconv._checks.shapes import ConvShape

CHUNK_CHANNELS: Final[int]

def is_read_well(shape: ConvShape, pixel_bytes: int, tile_pixels: int) -> bool: ...
def chunks(shape: ConvShape, lanes: int) -> int: ...

class PaddedRows:
    def __init__(
        self,
        shape: ConvShape,
        all_finite: bool,
        itemsize: int,
        copied_channels: int,
        whole_rows: bool = False,
        in_place: bool = False,
    ) -> None: ...
    def max_rows(self, room: int) -> int: ...
    def set_longest(self, rows: int) -> None: ...
    def count_taps(self) -> int: ...
