"""`python -m benchmarks.first_use`: how long a network takes from its arrays of weights to the first result.

The measure is a copy of the weights and one later run: what is above it is folding and packing, and fresh memory for
what is packed. Each figure is of a process of its own, since memory that a process had before comes faster. A second
shape, two images, packs nothing again: its first call is set against the next.
"""

import argparse
from multiprocessing import get_context
from statistics import median
from time import perf_counter

import numpy as np

import fastconv
from benchmarks import headline
from benchmarks.race.rows import NETWORKS

RUNS = 5


def copied(name):
    """Seconds to copy the weights."""
    weights = NETWORKS[name]().random_weights()
    return seconds(lambda: {part: array.copy() for part, array in weights.items()})


def used(name, threads):
    """Seconds from the weights to the first result, of a later run, and of the first and the next with two images."""
    network = NETWORKS[name]()
    weights, x = network.random_weights(), np.ones((2, *network.input_shape), np.float32)
    plans = []

    def first():
        plans.append(network.plan(weights, num_threads=threads))
        return plans[0](x[:1])

    took = seconds(first)
    run = median(seconds(lambda: plans[0](x[:1])) for _ in range(RUNS))
    return took, run, seconds(lambda: plans[0](x)), seconds(lambda: plans[0](x))


def seconds(function):
    start = perf_counter()
    kept = function()  # so that memory is not given back while the clock runs
    end = perf_counter()
    del kept
    return end - start


def alone(function, *arguments):
    """What the function gives in a process of its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_use", description=headline(__doc__))
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS, metavar="NAME")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args(arguments)
    fastconv.show_config()
    print(f"\n{'ms, medians':22}  threads    copy     run   first  first/(copy + run)  two images: first/next")
    for name in options.networks:
        for threads in options.threads:
            turns = [(alone(copied, name), *alone(used, name, threads)) for _ in range(options.turns)]
            copy, first, run, two, following = (median(figures) for figures in zip(*turns, strict=True))
            times = "".join(f"{1e3 * time:8.1f}" for time in (copy, run, first))
            print(f"{name:22}  {threads:7}{times}  {first / (copy + run):18.2f}  {two / following:22.2f}", flush=True)


if __name__ == "__main__":
    main()
