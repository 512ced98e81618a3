"""`python -m benchmarks.parts_grid`: blocks against their own parts, called one after the other.

No block is to be slower. Every row times a block's plan and the plans of its convolutions in turns, on the same
weights, and prints the ratio of the parts' least time to the block's (whatever else runs on the machine only adds). The
parts write to where the next one reads, Fire's expansions to slices of one result, and a bottleneck's last one adds the
residual: the block saves Python between them, and may lose by its choice of teams and of places in memory.
"""

import argparse
import time
from dataclasses import replace
from statistics import geometric_mean

import numpy as np

import fastconv
from benchmarks import common, configs, headline

CHANNELS = 8, 16, 32, 64, 128, 256, 512
MAPS = 7, 14, 28, 56
BLOCKS = {name: block for name, block in configs.BLOCKS.items() if not name.startswith("plain")}
TURNS = 9
MIN_SECONDS = 1e-3  # of calls between two looks at the clock
NOISE = 0.97  # a ratio above it is no loss


def row(block, channels, size, threads):
    """The least time of the parts over that of the block."""
    layer = replace(block(channels), x_shape=(size, size, channels))
    whole = common.Call(layer, threads)
    calls = whole, parts(layer, whole, threads)
    counts = [max(1, round(MIN_SECONDS / seconds(call, 2))) for call in calls]
    times = [[], []]
    for _ in range(TURNS):
        for own, call, count in zip(times, calls, counts, strict=True):
            own.append(seconds(call, count))
    return min(times[1]) / min(times[0])


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


def seconds(call, count):
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parts_grid", description=headline(__doc__))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="every other channel count and map")
    parser.add_argument("--channels", type=int, nargs="+", default=CHANNELS)
    parser.add_argument("--maps", type=int, nargs="+", default=MAPS)
    options = parser.parse_args(arguments)
    step = 2 if options.quick else 1
    fastconv.show_config()
    print(
        f"\nparts' time / block's, {options.threads} threads{'':23}" + "".join(f"{n:4}²" for n in options.maps[::step])
    )
    found = []
    for name, block in BLOCKS.items():
        for channels in options.channels[::step]:
            ratios = [row(block, channels, size, options.threads) for size in options.maps[::step]]
            found += ratios
            print(f"  {f'{name}, {channels} channels':44}" + "".join(f"{ratio:5.2f}" for ratio in ratios), flush=True)
    slower = sum(ratio < NOISE for ratio in found)
    print(f"geometric mean {geometric_mean(found):.2f}, least {min(found):.2f}; {slower} of {len(found)} under {NOISE}")


if __name__ == "__main__":
    main()
