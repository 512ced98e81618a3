"""`python -m benchmarks.peak`: how close single convolutions come to the machine's limits, one row a shape.

The algorithm is "direct", but for fast inner products, and every result is checked first. A figure is the layer's rate
over a yardstick's, the median over many turns of a short run of the one, then of the other: a machine that slows down
slows both. The yardstick is a loop of multiply-adds in the registers of the instruction set in use, whose peak is half
as high where its vectors are half as wide; for layers bound by memory it is a copy in main memory, and for odd channels
the layer at the next multiple of 32. Beside each figure stands what is wanted; < marks a miss.

Rates are nominal: taps on the padding count, as the papers count them, though direct leaves most of them out on small
maps. A share of the peak may so exceed 1.
"""

import argparse
from dataclasses import dataclass
from functools import partial
from math import prod
from statistics import geometric_mean, median
from time import perf_counter

import numpy as np

import fastconv
from benchmarks import headline
from benchmarks.common import THREADS, Call, mark
from benchmarks.configs import conv
from fastconv._kernels import cpu
from fastconv._runners import limits

ROUNDS = 20_000  # of the multiply-add loop: some 0.04 ms
TURN = 0.0005  # seconds of a turn, at least
COPY_TURN = 0.01  # beside a copy, which empties the caches: what a layer takes to fill them again then counts little
COPY_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Group:
    """Layers of one yardstick; what is wanted of each and of their geometric mean, with one thread and with all."""

    yardstick: str
    rows: list
    wanted: tuple
    wanted_mean: tuple = (None, None)
    algorithm: str = "direct"


PEAK, COPY, MULTIPLE = "multiply-add peak", "copy in main memory", "next multiple of 32"
GROUPS = {
    "k×k": Group(
        PEAK,
        [
            *(conv(size, c, c) for size, c in ((56, 64), (28, 128), (14, 256))),
            *(conv(28, 96, 128), conv(55, 16, 64), conv(28, 192, 32, 5), conv(28, 16, 32, 5)),
            conv(56, 128, 128, stride=2),
        ],
        (0.90, 0.90),
        (0.95, None),
    ),
    "7×7 maps": Group(PEAK, [conv(7, 512, 512), conv(7, 2048, 512, 1), conv(7, 512, 2048, 1)], (0.85, 0.75)),
    "1×1": Group(
        PEAK,
        [conv(n, *sides, 1) for n, c in ((56, 64), (28, 128), (14, 256)) for sides in ((4 * c, c), (c, 4 * c))],
        (0.88, 0.85),
        (0.93, None),
    ),
    "fast inner products": Group(  # where the processor has adders to spare; else less than direct
        PEAK,
        [
            *(conv(n, *sides, 1) for n, c in ((56, 64), (28, 128), (14, 256)) for sides in ((4 * c, c), (c, 4 * c))),
            *(conv(n, *sides, 1) for n, *sides in ((28, 512, 256), (14, 1024, 512), (7, 512, 2048), (7, 2048, 512))),
            *(conv(n, *sides, 1) for n, *sides in ((28, 192, 176), (28, 256, 288), (14, 480, 304), (13, 64, 256))),
        ],
        (1.05, 1.05) if cpu.takes_fip() else (None, None),
        algorithm="fip",
    ),
    "narrow 1×1": Group(PEAK, [conv(28, 192, 16, 1), conv(55, 128, 16, 1), conv(55, 16, 64, 1)], (0.75, 0.65)),
    "first layers": Group(
        PEAK, [conv(224, 3, 64, 7, 2), conv(227, 3, 96, 11, 4, 0), conv(224, 3, 64, 3, 2)], (0.85, 0.75)
    ),
    "odd channels": Group(MULTIPLE, [conv(28, c, c) for c in (17, 33, 100, 130)], (0.80, 0.80)),
    "groups": Group(
        PEAK,
        [conv(27, 96, 256, 5, groups=2), conv(13, 384, 384, groups=2), conv(13, 384, 256, groups=2)],
        (0.85, None),
    ),
    "small groups": Group(PEAK, [conv(56, 128, 128, groups=32)], (0.3, None)),
    "depthwise": Group(
        COPY,
        [conv(112, 32, 32, groups=32), conv(56, 128, 128, groups=128), conv(14, 512, 512, groups=512)],
        (0.6, None),
    ),
}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peak", description=headline(__doc__))
    parser.add_argument("--seconds", type=float, default=0.4, help="of measuring for each figure")
    parser.add_argument("--threads", type=int, nargs="+", default=THREADS)
    told = f"of {', '.join(GROUPS)}; by default all"
    parser.add_argument("groups", nargs="*", type=group, metavar="GROUP", help=told)
    options = parser.parse_args()
    fastconv.show_config()
    peak = fastconv.peak()
    for threads, flops, copy in (
        (1, peak.fma_gflops_one, peak.copy_gb_s_one),
        (peak.threads, peak.fma_gflops_all, peak.copy_gb_s_all),
    ):
        print(
            f"at most, {threads} thr  {flops:.1f} GFLOP/s of multiply-adds, {copy:.1f} GB/s read and written by a copy"
        )
    print("shares are nominal: taps on the padding count, most of which direct leaves out on small maps")
    verdicts = []
    for name in options.groups or GROUPS:
        verdicts += show(name, GROUPS[name], options)
    print(f"\n{sum(verdicts)} of {len(verdicts)} wanted figures met, {len(verdicts) - sum(verdicts)} missed")


def group(name):
    """The name of a group, for argparse, whose `choices` refuse none at all."""
    if name not in GROUPS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(GROUPS)}")
    return name


def show(title, group, options):
    """Print a group's table; whether each wanted figure is met."""
    heads = "".join(f"{f'{t} thr':>8}{'wanted':>8}{'ms':>9}" for t in options.threads)
    print(f"\n{f'{title}, share of the {group.yardstick}':50}{heads}")
    shares, verdicts = {threads: [] for threads in options.threads}, []

    def line(name, values, wanted, times):
        cells = ""
        for threads, value, time in zip(options.threads, values, times, strict=True):
            goal = wanted[threads > 1]
            cells += f"{mark(value, goal):>8}{goal or '':>8}{time:>9}"
            verdicts.extend([] if goal is None else [value >= goal])
        print(f"  {name:48}{cells}", flush=True)

    for layer in group.rows:
        found = [share(group, layer, threads, options.seconds) for threads in options.threads]
        for threads, (value, _) in zip(options.threads, found, strict=True):
            shares[threads].append(value)
        line(layer.name, [value for value, _ in found], group.wanted, [f"{1e3 * time:.3f}" for _, time in found])
    means = [geometric_mean(values) for values in shares.values()]
    line("geometric mean", means, group.wanted_mean, [""] * len(means))
    return verdicts


def share(group, layer, threads, seconds):
    """(the layer's rate over the yardstick's, seconds a call), medians over turns."""
    call, yardstick = Call(layer, threads, group.algorithm), group.yardstick
    if yardstick == PEAK:
        return turns(call, 2 * layer.cost().macs, partial(limits.multiply_adds, ROUNDS, threads), seconds)
    if yardstick == COPY:  # x and the result, each counted once
        source, target = np.ones(COPY_BYTES // 8), np.zeros(COPY_BYTES // 8)
        size = 4 * (prod(layer.x_shape) + prod(layer.out_shape))
        return turns(call, size, partial(limits.copy, source, target, threads), seconds, COPY_TURN)
    # The speed for each MAC over that at the multiple; the lanes that pad the output channels to it count as work.
    height, _, channels = layer.x_shape
    multiple = -(-channels // 32) * 32
    padded = Call(conv(height, multiple, multiple), threads, "direct")
    return turns(call, channels * multiple, lambda: padded() or multiple**2, seconds)


def turns(call, amount, yardstick, seconds, least=TURN):
    """Medians of (rate of the call / rate of the yardstick, seconds a call); the yardstick returns its own amount."""
    shares, times, end = [], [], perf_counter() + seconds
    while perf_counter() < end or len(times) < 5:
        limit, _ = turn(yardstick, least)
        rate, time = turn(lambda: call() or amount, least)
        shares.append(rate / limit)
        times.append(time)
    return median(shares), median(times)


def turn(work, least=TURN):
    """(rate, seconds a call) of a turn; `work` returns its amount."""
    amount = calls = 0
    start = now = perf_counter()
    while now - start < least:
        amount += work()
        calls += 1
        now = perf_counter()
    return amount / (now - start), (now - start) / calls


if __name__ == "__main__":
    main()
