"""`python -m benchmarks.peak`: how close single convolutions come to the machine's limits, one row a shape.

Each figure is the median over many turns of a short run of the multiply-add loop, then a short run of the layer: a
machine that slows down slows both. Depthwise layers are set against the copy in main memory instead.
"""

import argparse
from statistics import geometric_mean, median
from time import perf_counter

import numpy as np

import fastconv
from benchmarks.common import THREADS
from fastconv import _peak

ROUNDS = 20_000  # of the multiply-add loop: some 0.04 ms
TURN = 0.0005  # seconds of a layer's turn, at least
COPY_BYTES = 64 * 2**20


def conv(size, c, k, r=3, stride=1, padding=None, groups=1):
    """(name, height and width, channels, weight's shape, options) of a convolution, padded by half its kernel."""
    padding = r // 2 if padding is None else padding
    name = f"{r}×{r}" + f"/{stride}" * (stride > 1) + f" {c}→{k}@{size}²" + f" {groups} groups" * (groups > 1)
    return name, size, c, (r, r, c // groups, k), {"stride": stride, "padding": padding, "groups": groups}


TABLE = {
    "k×k": [
        *(conv(size, c, c) for size, c in ((56, 64), (28, 128), (14, 256))),
        *(conv(28, 96, 128), conv(55, 16, 64), conv(28, 192, 32, 5), conv(28, 16, 32, 5), conv(56, 128, 128, stride=2)),
    ],
    "7×7 maps": [conv(7, 512, 512), conv(7, 2048, 512, 1), conv(7, 512, 2048, 1)],
    "1×1": [conv(n, *sides, 1) for n, c in ((56, 64), (28, 128), (14, 256)) for sides in ((4 * c, c), (c, 4 * c))],
    "narrow 1×1": [conv(28, 192, 16, 1), conv(55, 128, 16, 1), conv(55, 16, 64, 1)],
    "first layers": [conv(224, 3, 64, 7, 2), conv(227, 3, 96, 11, 4, 0), conv(224, 3, 64, 3, 2)],
    "odd channels": [conv(28, c, c) for c in (17, 32, 33, 64, 100, 128, 130, 160)],
    "groups": [
        *(conv(27, 96, 256, 5, groups=2), conv(13, 384, 384, groups=2), conv(13, 384, 256, groups=2)),
        conv(56, 128, 128, groups=32),
    ],
}
DEPTHWISE = [conv(112, 32, 32, groups=32), conv(56, 128, 128, groups=128), conv(14, 512, 512, groups=512)]


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peak", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.4, help="of measuring for each figure")
    parser.add_argument("groups", nargs="*", choices=[*TABLE, "depthwise", []], help="by default all")
    options = parser.parse_args()
    fastconv.show_config()
    print(fastconv.peak())
    chosen = {name: rows for name, rows in TABLE.items() if name in (options.groups or TABLE)}
    for name, rows in chosen.items():
        show(name, "multiply-add peak", rows, share_of_multiply_adds, options.seconds)
    if not options.groups or "depthwise" in options.groups:
        show("depthwise", "copy in main memory", DEPTHWISE, share_of_copy, options.seconds)


def show(title, yardstick, rows, share, seconds):
    """Print one group's table."""
    print(f"\n{title + ', share of the ' + yardstick:50}" + "".join(f"{f'{t} thr':>8}{'ms':>9}" for t in THREADS))
    shares = {threads: [] for threads in THREADS}
    for row in rows:
        cells = ""
        for threads in THREADS:
            value, time = share(row, threads, seconds)
            shares[threads].append(value)
            cells += f"{value:8.2f}{1e3 * time:9.3f}"
        print(f"  {row[0]:48}{cells}", flush=True)
    print(f"  {'geometric mean':48}" + "".join(f"{geometric_mean(values):8.2f}{'':9}" for values in shares.values()))


def share_of_multiply_adds(row, threads, seconds):
    """(share of the peak, seconds a call), medians over turns."""
    call, plan, x = prepare(row, threads)
    flop = 2 * plan.cost(x.shape).macs
    return turns(call, flop, lambda: _peak.multiply_adds(ROUNDS, threads), seconds)


def share_of_copy(row, threads, seconds):
    """(share of the copy's bandwidth, seconds a call), x and the result counted once, medians over turns."""
    call, _, x = prepare(row, threads)
    source, target = np.ones(COPY_BYTES // 8), np.zeros(COPY_BYTES // 8)
    return turns(call, x.nbytes + call().nbytes, lambda: _peak.copy(source, target, threads), seconds)


def prepare(row, threads):
    """A call of the plan with bias, into an array whose pages are there; the plan; and x."""
    _, size, channels, weight, options = row
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, size, size, channels), np.float32)
    bias = rng.standard_normal(weight[3], np.float32)
    plan = fastconv.Conv2d(
        rng.standard_normal(weight, np.float32), bias, algorithm="direct", num_threads=threads, **options
    )
    y = plan(x)
    return lambda: plan(x, out=y), plan, x


def turns(call, amount, yardstick, seconds):
    """Medians of (rate of the call / rate of the yardstick, seconds a call); the yardstick returns its own amount."""
    shares, times, end = [], [], perf_counter() + seconds
    while perf_counter() < end or len(times) < 5:
        start = perf_counter()
        limit = yardstick()
        middle = now = perf_counter()
        calls = 0
        while now - middle < TURN:
            call()
            calls += 1
            now = perf_counter()
        times.append((now - middle) / calls)
        shares.append(amount / times[-1] / (limit / (middle - start)))
    return median(shares), median(times)


if __name__ == "__main__":
    main()
