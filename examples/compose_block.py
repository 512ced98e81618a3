"""A block of one's own, beside the plain convolution that it replaces: `python examples/compose_block.py`.

The block reduces its channels to a quarter, convolves them 3×3 and, dilated, 3×3 once more, joins both, widens them and
adds its input. The example prints for both the operations, the time, and the error against float64.
"""

import argparse
from statistics import median
from time import perf_counter

import numpy as np

import fastconv
from fastconv import reference

RNG = np.random.default_rng(0)


def pair(kernel: int, channels: int, out: int) -> tuple[np.ndarray, np.ndarray]:
    """Random weights of a convolution that keep the size of values, and biases."""
    weight = RNG.standard_normal((kernel, kernel, channels, out), np.float32)
    return weight * np.float32(np.sqrt(2 / weight[..., 0].size)), RNG.standard_normal(out, np.float32)


def block(channels: int):
    """The plan of the block."""
    n = channels // 4
    g = fastconv.Graph()
    reduced = g.conv2d(g.x, *pair(1, channels, n), activation="relu", name="reduce")
    near = g.conv2d(reduced, *pair(3, n, n), padding=1, activation="relu", name="near")
    far = g.conv2d(reduced, *pair(3, n, n), padding=2, dilation=2, activation="relu", name="far")
    wide = g.conv2d(g.concat(near, far), *pair(1, 2 * n, channels), name="widen")
    return g.plan(g.relu(g.add(wide, g.x)))


def milliseconds(plan, x: np.ndarray, seconds: float) -> float:
    """The median time of a call."""
    times, end = [], perf_counter() + seconds
    out = plan(x)
    while not times or perf_counter() < end:
        start = perf_counter()
        plan(x, out=out)
        times.append(perf_counter() - start)
    return 1e3 * median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--size", type=int, default=28, help="pixels a side")
    parser.add_argument("--seconds", type=float, default=1.0, help="to measure each")
    options = parser.parse_args()
    x = RNG.standard_normal((1, options.size, options.size, options.channels), np.float32)
    plain = fastconv.Conv2d(*pair(3, options.channels, options.channels), padding=1, activation="relu")
    own = block(options.channels)
    print(f"{'':8}{'MACs':>14}{'ms':>9}{'error / rms':>14}")
    for name, plan in ("plain", plain), ("block", own):
        want = reference.graph(plan, x)
        error = abs(plan(x) - want).max() / np.sqrt((want**2).mean())
        print(f"{name:8}{plan.cost(x.shape).macs:14,}{milliseconds(plan, x, options.seconds):9.3f}{error:14.1e}")
    print(own.describe(x.shape))


if __name__ == "__main__":
    main()
