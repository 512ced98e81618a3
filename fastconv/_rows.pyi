from numpy import bool_

from fastconv._shapes import ConvShape

def skips_rows(shape: ConvShape, all_finite: bool_) -> bool: ...
