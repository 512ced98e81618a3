"""The functions and blocks in NumPy float64: slow, written to be read beside the formulas, the oracle of the tests.

Arguments are those of the fast functions and blocks, and so are the errors; the result is float64. Indices in the
formulas: n image; p, q row and column of the output; r, s of the kernel; c input channel; k output channel. x is 0
outside of its map. `f(v)` is max(v, 0), which keeps a NaN, for activation "relu", and v for None.

A block takes each of its parts as a pair (weight, bias), in which bias may be None. In the formulas of the blocks
`conv(x, part)` is the convolution with that part's weight and bias. `graph` computes any plan's graph.
"""

from fastconv.reference._blocks import bottleneck, fire, graph, inception, mlpconv, reduced
from fastconv.reference._functions import (
    avg_pool2d,
    conv2d,
    global_avg_pool2d,
    global_max_pool2d,
    max_pool2d,
    pointwise,
)

__all__ = [
    "avg_pool2d",
    "bottleneck",
    "conv2d",
    "fire",
    "global_avg_pool2d",
    "global_max_pool2d",
    "graph",
    "inception",
    "max_pool2d",
    "mlpconv",
    "pointwise",
    "reduced",
]
