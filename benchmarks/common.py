"""What the benchmarks share: integer data, plans, and the check that every timed cell passes before it is timed.

The data are small integers, so results in float32 are whole numbers: exact, and compared so with the float64 reference,
but for Winograd's, which are compared once they are rounded. Arrays start on a cache line: where they start would
otherwise differ from process to process, and the time with it.
"""

from functools import cache, partial

import numpy as np

import fastconv
from fastconv import reference
from fastconv._checks import arrays
from fastconv._planning import choosing

from . import configs

PLANS = {
    "conv2d": fastconv.Conv2d,
    "mlpconv": fastconv.MLPConv,
    "reduced": fastconv.Reduced,
    "bottleneck": fastconv.Bottleneck,
    "fire": fastconv.Fire,
    "inception": fastconv.Inception,
}
ALL_THREADS = fastconv.Conv2d(np.ones((1, 1, 1, 1), np.float32)).num_threads  # the default team
THREADS = tuple(sorted({1, ALL_THREADS}))


def aligned(shape):
    """A float32 array of zeros, its pages touched, that starts on a cache line."""
    array = arrays.aligned(shape, np.dtype(np.float32))
    array[...] = 0
    return array


@cache
def integers(shape, largest, seed=0):
    """Random integers from -largest to largest in float32, the same in every process."""
    array = aligned(shape)
    array[...] = np.random.default_rng([seed, *shape]).integers(-largest, largest + 1, shape)
    return array


def arguments(layer):
    """Weights and biases as the layer's plan and its reference take them: two arrays, or a pair for each part."""
    shapes = enumerate(layer.weights.values(), start=1)
    pairs = [(integers(shape, 1, seed), integers(shape[-1:], 2, seed)) for seed, shape in shapes]
    return pairs[0] if layer.kind == "conv2d" else pairs


def plan(layer, **options):
    """The layer's plan, with a ReLU after every convolution."""
    return PLANS[layer.kind](*arguments(layer), activation="relu", **layer.options, **options)


def reference_call(layer):
    """A function that computes the layer with `fastconv.reference`, in float64."""
    x, function = integers(layer.x_shape, 2), getattr(reference, layer.kind)
    return partial(function, x, *arguments(layer), activation="relu", **layer.options)


class Call:
    """One layer ready to be timed: planned, packed, its pages touched and its result checked."""

    def __init__(self, layer, threads, algorithm="auto"):
        options = {"algorithm": algorithm} if layer.kind == "conv2d" else {}
        if algorithm != "auto" and not options:
            raise NotImplementedError("a block chooses the algorithm of each part itself")
        self.plan = plan(layer, num_threads=threads, **options)
        self.x = integers(layer.x_shape, 2)
        self.y = aligned(layer.out_shape)
        self()
        check(self.y, reference_call(layer)(), may_round=algorithm in ("auto", "winograd", "fip"))

    def __call__(self):
        self.plan(self.x, out=self.y)


class PublishedCall(Call):
    """A layer of a published network, its batch norms a shift each."""

    def __init__(self, layer, threads):
        weights = {name: _whole(name, shape, seed) for seed, (name, shape) in enumerate(layer.weight_shapes.items())}
        self.plan = layer.plan(weights, num_threads=threads)
        self.x, self.y = integers(layer.input_shape, 2), aligned(layer.output_shape)
        self()
        check(self.y, np.rint(reference.graph(self.plan, self.x)), may_round=True)


def _whole(name, shape, seed):
    """Whole numbers, but for a batch norm's variance, to which its epsilon is added."""
    if len(shape) > 1:
        return integers(shape, 1, seed)
    if name.endswith((".weight", ".running_var")):
        return np.full(shape, 1 - 1e-5 * name.endswith("var"), np.float32)
    return integers(shape, 2, seed)


def choices():
    """{layer: [[first, last, algorithm]]}: what "auto" takes, by channel count, for layers of c to c channels.

    Every count is tried where the choice is likely to change, and every sixteenth above.
    """
    most = max(configs.LAYER_CHANNELS)
    return {name: _spans(layer, (*range(1, 64), *range(64, most + 1, 16))) for name, layer in configs.CHOICES.items()}


def _spans(layer, counts):
    spans = []
    for channels in counts:
        chosen = choosing.choose("auto", layer(channels).conv_shapes["weight"])
        name = f"{chosen.name} {getattr(chosen, 'transform', '')}".strip()
        if not spans or spans[-1][2] != name:
            spans.append([channels, channels, name])
        spans[-1][1] = channels
    return spans


def check(result, expected, may_round=False):
    """Raise where a result differs from what it must be, so that a wrong cell is never timed.

    The values are whole numbers, so that a product left out or done twice changes one by 1 or more. Winograd's
    transforms round, by far less than 1/2: what may have been rounded must be right to the nearest whole number.
    """
    if may_round:
        result = np.rint(result)
    if result.shape != expected.shape:
        raise AssertionError(f"the result has shape {result.shape}, but must have {expected.shape}")
    if wrong := np.count_nonzero(result != expected):
        raise AssertionError(f"{wrong} of {expected.size} values are wrong")


def mark(value, wanted):
    """A ratio as text, with < where it is less than wanted; either may be None."""
    if value is None:
        return "–"
    return f"{value:.2f}" + "<" * (wanted is not None and value < wanted)
