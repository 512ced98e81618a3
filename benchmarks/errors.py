"""`python -m benchmarks.errors`: the errors of the algorithms on values of many kinds, the table of the docs.

A figure is the largest error of an output as a share of its pixel's root mean square, in units of 10⁻⁶; direct's beside
it is of the same convolution. float32, normal weights, 14² pixels: a 1×1 from 256 to 256 channels, and a 3×3 from 64 to
64. Each row of values is a function of (rng, NHWC shape), which the tests of the bounds take too.
"""

import argparse

import numpy as np

import fastconv
from benchmarks import headline
from fastconv import reference

FAMILIES = {}
SEEDS = 3
LAYERS = {1: (256, ("direct", "blas", "fip")), 3: (64, ("direct", "winograd"))}  # by kernel: channels, algorithms


def family(function):
    """Enter a function in FAMILIES, by its name."""
    FAMILIES[function.__name__] = function
    return function


@family
def normal(rng, shape):
    return rng.standard_normal(shape)


@family
def rectified(rng, shape):
    return np.maximum(rng.standard_normal(shape), 0)


@family
def heavy_tails(rng, shape):
    """Student's t of two degrees of freedom."""
    return rng.standard_t(2, shape)


@family
def any_scale(rng, shape):
    """Pixels from 2^-20 to 2^20."""
    return rng.standard_normal(shape) * 2.0 ** rng.uniform(-20, 20, (*shape[:3], 1))


@family
def mostly_zeros(rng, shape):
    """Nine of ten."""
    return rng.standard_normal(shape) * (rng.random(shape) < 0.1)


@family
def one_large(rng, shape):
    """One channel of 1000 among normal ones."""
    x = rng.standard_normal(shape)
    x[..., shape[3] // 3] = 1000
    return x


@family
def whole(rng, shape):
    """From -127 to 127."""
    return rng.integers(-127, 128, shape)


@family
def unlike_channels(rng, shape):
    """Channels from 2^-10 to 2^10."""
    return rng.standard_normal(shape) * 2.0 ** rng.uniform(-10, 10, shape[3])


def largest_error(name, kernel, algorithm):
    """The largest of SEEDS runs, as a share of the root mean square of the same pixel's outputs."""
    channels, _ = LAYERS[kernel]
    largest = 0.0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        x = FAMILIES[name](rng, (1, 14, 14, channels)).astype(np.float32)
        weight = rng.standard_normal((kernel, kernel, channels, channels), np.float32)
        want = reference.conv2d(x, weight, padding=kernel // 2)
        error = np.abs(fastconv.conv2d(x, weight, padding=kernel // 2, algorithm=algorithm) - want)
        rms = np.sqrt((want**2).mean(-1, keepdims=True))  # of a pixel: those of any scale are not alike
        largest = max(largest, float((error / np.where(rms > 0, rms, 1)).max()))
    return largest


def main(arguments=None):
    argparse.ArgumentParser(prog="python -m benchmarks.errors", description=headline(__doc__)).parse_args(arguments)
    heads = [(kernel, algorithm) for kernel, (_, algorithms) in LAYERS.items() for algorithm in algorithms]
    print("| values | " + " | ".join(f"{kernel}×{kernel} {algorithm}" for kernel, algorithm in heads) + " |")
    print("|---" * (len(heads) + 1) + "|")
    for name in FAMILIES:
        errors = [f"{1e6 * largest_error(name, *head):.2g}" for head in heads]
        print(f"| {name.replace('_', ' ')} | " + " | ".join(errors) + " |", flush=True)


if __name__ == "__main__":
    main()
