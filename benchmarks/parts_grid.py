"""`python -m benchmarks.parts_grid`: blocks against their own parts, called one after the other.

No block is to be slower. Every row times a block's plan and the plans of its convolutions in turns, on the same
weights, and prints the ratio of the parts' least time to the block's (whatever else runs on the machine only adds). The
parts write to where the next one reads, Fire's expansions to slices of one result, and a bottleneck's last one adds the
residual: the block saves Python between them, and may lose by its choice of teams and of places in memory.
"""

from dataclasses import replace
from statistics import geometric_mean

import numpy as np

import fastconv
from benchmarks import common, configs, grids

MAPS = 7, 14, 28, 56
BLOCKS = {name: block for name, block in configs.BLOCKS.items() if not name.startswith("plain")}
TURNS = 9
NOISE = 0.97  # a ratio above it is no loss


def row(block, channels, size, threads):
    """The least time of the parts over that of the block."""
    layer = replace(block(channels), x_shape=(size, size, channels))
    whole = common.Call(layer, threads)
    own, of_parts = grids.least_seconds([whole, parts(layer, whole, threads)], TURNS)
    return of_parts / own


def parts(layer, whole, threads):
    """A function that calls the plans of the convolutions, whose result is that of the block."""
    pairs, padding = common.arguments(layer), layer.options.get("padding", 1)
    plans = [
        fastconv.Conv2d(
            weight,
            bias,
            padding=padding if weight.shape[0] > 1 else 0,
            activation="relu",
            num_threads=threads,
        )
        for weight, bias in pairs
    ]
    shapes = [(*layer.x_shape[:2], weight.shape[3]) for weight, _ in pairs]
    x, y = whole.x, common.aligned(layer.out_shape)
    first, second = (common.aligned(shape) for shape in shapes[:2])
    split = shapes[1][2]

    def call():
        plans[0](x, out=first)
        if layer.kind == "reduced":
            plans[1](first, out=y)
        elif layer.kind == "bottleneck":
            plans[1](first, out=second)
            plans[2](second, residual=x, out=y)
        else:
            plans[1](first, out=y[..., :split])
            plans[2](first, out=y[..., split:])

    call()
    common.check(y, np.rint(whole.y), may_round=True)  # which Winograd may have rounded too
    return call


def main(arguments=None):
    options = grids.options("parts_grid", __doc__, MAPS, arguments)
    fastconv.show_config()
    print(f"\nparts' time / block's, {options.threads} threads{'':23}" + "".join(f"{n:4}²" for n in options.maps))
    found = []
    for name, block in BLOCKS.items():
        for channels in options.channels:
            ratios = [row(block, channels, size, options.threads) for size in options.maps]
            found += ratios
            print(f"  {f'{name}, {channels} channels':44}" + "".join(f"{ratio:5.2f}" for ratio in ratios), flush=True)
    slower = sum(ratio < NOISE for ratio in found)
    print(f"geometric mean {geometric_mean(found):.2f}, least {min(found):.2f}; {slower} of {len(found)} under {NOISE}")


if __name__ == "__main__":
    main()
