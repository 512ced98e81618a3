"""`python -m benchmarks.cold`: how much of Winograd's gain over direct is left where weights come from main memory.

All convolutions of ResNet-50 are run one after the other, each with weights of its own: together they are larger than
the caches, so that every layer finds its weights cold, and its input where the layer before left it. Passes with "auto"
and with "direct" for the 3×3s of stride 1 take turns; each of these layers is timed inside the pass. Then the same
layers are timed hot, in loops that take turns.

The gain is direct's time over that of "auto"; what is kept of it is the gain in the pass over the gain in the loop.
"""

import argparse
from statistics import geometric_mean, median
from time import perf_counter

import numpy as np

import fastconv
from benchmarks import configs, headline
from benchmarks.common import THREADS, aligned, mark
from benchmarks.layers import convolutions
from benchmarks.peak import turn
from fastconv import networks

ALGORITHMS = "direct", "auto"
WANTED = 0.8
TURNS = 25  # of a layer's loops


class Step:
    """A convolution of the pass: a plan for each algorithm that is compared, its input and its output."""

    def __init__(self, layer, arrays, threads):
        rng = np.random.default_rng(0)
        shape = layer.weights["weight"]
        weight = rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[:3])))
        conv = layer.conv_shapes["weight"]
        self.name = configs.geometry(layer)
        self.is_compared = conv.kernel == (3, 3) and conv.stride == (1, 1)
        options = {"activation": "relu", "num_threads": threads, **layer.options}
        plans = {
            algorithm: fastconv.Conv2d(weight, np.zeros(shape[3], np.float32), algorithm=algorithm, **options)
            for algorithm in (ALGORITHMS if self.is_compared else ALGORITHMS[:1])
        }
        self.plans = {algorithm: plans.get(algorithm, plans["direct"]) for algorithm in ALGORITHMS}
        self.x, self.y = arrays.following(layer)
        self.taken = self.plans["auto"].describe(layer.x_shape)

    def call(self, algorithm):
        self.plans[algorithm](self.x, out=self.y)


class Arrays:
    """Two arrays of each shape, in turns the last output of this shape and the next: a layer reads what was written."""

    def __init__(self):
        self.of = {}

    def following(self, layer):
        """(x, y) of the layer, y the other array of its shape."""
        x = self._pair(layer.x_shape)[0]
        pair = self._pair(layer.out_shape)
        pair.reverse()
        return x, pair[0]

    def _pair(self, shape):
        if shape not in self.of:
            self.of[shape] = [aligned(shape), aligned(shape)]
            for array in self.of[shape]:
                array[...] = np.maximum(np.random.default_rng(0).standard_normal(shape, np.float32), 0)
        return self.of[shape]


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold", description=headline(__doc__))
    parser.add_argument("--threads", type=int, nargs="+", default=THREADS)
    parser.add_argument("--passes", type=int, default=15, help="with each algorithm")
    options = parser.parse_args()
    fastconv.show_config()
    for threads in options.threads:
        show(threads, options.passes)


def show(threads, passes):
    """Measure with one number of threads, and print the table."""
    arrays = Arrays()
    steps = [Step(layer, arrays, threads) for layer in convolutions(networks.resnet())]
    compared = [step for step in steps if step.is_compared]
    cold, hot = in_passes(steps, passes), {step: in_loops(step) for step in compared}
    print(f"\nMilliseconds a call, {threads} thread{'s' * (threads > 1)}; weights of the pass:", end=" ")
    print(
        ", ".join(
            f"{sum(s.plans[a].describe(s.x.shape).packed_bytes for s in steps) / 1e6:.0f} MB {a}" for a in ALGORITHMS
        )
    )
    print(f"{'':42}{'loop':>23}{'pass':>25}\n{'':42}{2 * '  direct    auto    gain '}    kept")
    shares = []
    for name in dict.fromkeys(step.name for step in compared):
        same = [step for step in compared if step.name == name]
        cells, gains = "", []
        for times in (hot, cold):
            direct, auto = (median(times[step][algorithm] for step in same) for algorithm in ALGORITHMS)
            gains.append(direct / auto)
            cells += f"{1e3 * direct:8.3f}{1e3 * auto:8.3f}{gains[-1]:8.2f} "
        shares.append(gains[1] / gains[0])
        label = f"{len(same)} × {name}, {same[0].taken.tile.rsplit(', ', 1)[0]}"
        print(f"  {label:40}{cells}{mark(shares[-1], WANTED):>8}")
    print(f"  {'geometric mean':90}{mark(geometric_mean(shares), WANTED):>8}, wanted {WANTED}")


def in_passes(steps, passes):
    """{step: {algorithm: seconds}} of the compared steps, medians over passes that take turns after one to warm up."""
    times = {step: {algorithm: [] for algorithm in ALGORITHMS} for step in steps if step.is_compared}
    for number in range(passes + 1):
        for algorithm in ALGORITHMS:
            for step in steps:
                start = perf_counter()
                step.call(algorithm)
                if number and step.is_compared:
                    times[step][algorithm].append(perf_counter() - start)
    return {step: {algorithm: median(found) for algorithm, found in own.items()} for step, own in times.items()}


def in_loops(step):
    """{algorithm: seconds} of a step, medians over loops that take turns."""
    times = {algorithm: [] for algorithm in ALGORITHMS}
    for _ in range(TURNS):
        for algorithm, found in times.items():
            _, seconds = turn(lambda algorithm=algorithm: step.call(algorithm) or 1)
            found.append(seconds)
    return {algorithm: median(found) for algorithm, found in times.items()}


if __name__ == "__main__":
    main()
