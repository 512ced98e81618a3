"""`python -m benchmarks.winograd_grid`: Winograd's transforms against direct over a grid of shapes.

`cost` in `_planning/algorithms.py` was derived from it. Every row times the algorithms in turns, forwards and
backwards, and prints the ratios of direct's least time to theirs (whatever else runs on the machine only adds), and
what "auto" takes. The last lines say how often that is the fastest, and what is lost where it is not.
"""

from functools import partial
from itertools import product
from statistics import geometric_mean
from unittest import mock

import numpy as np

import fastconv
from benchmarks import grids
from fastconv._kernels import cpu
from fastconv._planning import algorithms, choosing

MAPS = 7, 14, 28, 56, 112, 224
KERNELS = 3, 5
MAX_MACS = 1_000_000_000
TURNS = 7


def plans(kernel, channels, out_channels, size, threads):
    """{name: plan}, each bound to the algorithm of that name alone, and the x that they take."""
    rng = np.random.default_rng(0)
    x = np.maximum(rng.standard_normal((1, size, size, channels), np.float32), 0)
    weight = rng.standard_normal((kernel, kernel, channels, out_channels), np.float32)
    found = {}
    for algorithm in (one for one in algorithms.ALGORITHMS if one.layout == "NHWC"):
        choosing.shape_and_algorithm.cache_clear()  # it knows the algorithm before by the same name
        with mock.patch.object(algorithms, "ALGORITHMS", (algorithm,)):
            try:
                plan = fastconv.Conv2d(weight, padding=kernel // 2, num_threads=threads, algorithm=algorithm.name)
            except ValueError:
                continue
            name = str(algorithm) if algorithm.name == "winograd" else algorithm.name
            found[name] = plan, plan(x), algorithm
    return found, x


def row(kernel, channels, out_channels, size, threads):
    """{name: direct's time over its own}, and the name that "auto" takes."""
    found, x = plans(kernel, channels, out_channels, size, threads)
    times = grids.least_seconds([partial(plan, x, out=y) for plan, y, _ in found.values()], TURNS)
    direct = times[[*found].index("direct")]
    ratios = {name: direct / own for name, own in zip(found, times, strict=True)}
    shape = found["direct"][0]._bind((x.shape,))[0].shape
    chosen = choosing.choose("auto", shape)
    return ratios, next(name for name, (_, _, algorithm) in found.items() if algorithm is chosen)


def main(arguments=None):
    options = grids.options("winograd_grid", __doc__, MAPS, arguments)
    print(f"{cpu.active()}, {options.threads} threads; direct's time / the transform's")
    best, taken = [], []
    for kernel, size, channels, out_channels in product(KERNELS, options.maps, options.channels, options.channels):
        if (size * kernel) ** 2 * channels * out_channels > MAX_MACS:
            continue
        ratios, chosen = row(kernel, channels, out_channels, size, options.threads)
        best.append(max(ratios.values()))
        taken.append(ratios[chosen])
        cells = "  ".join(f"{name} {ratio:5.2f}" for name, ratio in ratios.items() if name != "direct")
        missed = "" if taken[-1] > 0.95 * best[-1] else "  <-"
        print(f"{kernel}×{kernel} {channels:3}→{out_channels:3} {size:3}²  {cells}  auto: {chosen}{missed}", flush=True)
    lost = [own / fastest for own, fastest in zip(taken, best, strict=True)]
    print(f"auto against direct alone: {geometric_mean(taken):.2f}, the fastest each: {geometric_mean(best):.2f}")
    print(f"within 5 % of the fastest in {sum(x > 0.95 for x in lost)} of {len(lost)} shapes; at worst {min(lost):.2f}")


if __name__ == "__main__":
    main()
