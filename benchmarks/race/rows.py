"""What is raced: single convolutions, blocks, whole networks, each a plan of fastconv with seeded weights."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

import fastconv
from benchmarks import configs
from fastconv import networks

OURS = "fastconv"
DIRECT = "torch", "onnxruntime", "openvino"  # whose convolutions are direct, at the limit of the multiply-adds
WINOGRAD = *DIRECT, "ncnn", "mnn", "mnn_exact", "opencv"
ALL = *WINOGRAD, "torch_compiled"  # which compiles a network anew for each batch and number of threads


@dataclass(frozen=True)
class Row:
    """`make(num_threads=)` gives the plan."""

    name: str
    x_shape: tuple
    make: Callable

    def x(self):
        """The same values in every run, of a network's range; in a batch two images take turns."""
        rng = np.random.default_rng(0)
        two = rng.standard_normal((2, *self.x_shape[1:]), np.float32)
        return np.ascontiguousarray(np.maximum(two, 0)[np.arange(self.x_shape[0]) % 2])


@dataclass(frozen=True)
class Group:
    """Rows raced against the same engines, for `seconds` a turn; every row's ratio is to be at least `wanted`."""

    peers: tuple
    rows: list
    wanted: float
    seconds: float = 0.1


def groups(algorithm=None):
    """{title: Group}; the algorithm of the convolutions is the group's own if None."""
    auto, direct = (partial(_conv, algorithm=algorithm or own) for own in ("auto", "direct"))
    three = (56, 64, 64), (28, 128, 128), (14, 256, 256), (224, 64, 64), (28, 96, 128), (55, 16, 64), (13, 64, 256)
    three += (27, 32, 128), (27, 48, 192), (14, 160, 320)
    five = (28, 192, 32, 5), (28, 32, 96, 5), (14, 24, 64, 5)
    layers = [direct(layer) for layer in configs.published_convolutions()]
    return {
        "winograd 3×3": Group(WINOGRAD, [auto(configs.conv(*shape)) for shape in three], 1.1),
        "winograd 7×7 map": Group(WINOGRAD, [auto(configs.conv(7, 512, 512))], 1.3),
        "winograd 5×5": Group(WINOGRAD, [auto(configs.conv(*shape)) for shape in five], 1.8),
        "layers, direct": Group(DIRECT, layers, 0.97, 0.02),
        "blocks": Group(ALL, BLOCKS, 1.0),
        "networks, batch 1": Group(ALL, _networks(1), 1.0),
        "networks, batch 8": Group(ALL, _networks(8), 1.0),
    }


def _weights(seed, shape):
    """A weight, HWIO, that keeps the range of its input, and a bias."""
    rng = np.random.default_rng([seed, *shape])
    weight = rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[:3])))
    return weight, np.float32(0.1) * rng.standard_normal(shape[-1:], np.float32)


def _conv(layer, algorithm):
    def make(num_threads):
        options = {"activation": "relu", "algorithm": algorithm, "num_threads": num_threads, **layer.options}
        return fastconv.Conv2d(*_weights(0, layer.weights["weight"]), **options)

    return Row(layer.name, (1, *layer.x_shape), make)


def _block(name, block, size, *shapes, **options):
    """A block on a square map, with a part of each shape (kernel, channels in, channels out)."""

    def make(num_threads):
        parts = [_weights(seed, (k, k, c, n)) for seed, (k, c, n) in enumerate(shapes)]
        return block(*parts, num_threads=num_threads, **options)

    return Row(name, (1, size, size, shapes[0][1]), make)


def _bottleneck(size, c, n):
    return _block(f"bottleneck {c}-{n}@{size}²", fastconv.Bottleneck, size, (1, c, n), (3, n, n), (1, n, c))


def _fire(i, size, c, s):
    name = f"Fire {i} ({c}, {s}-{4 * s}-{4 * s})@{size}²"
    return _block(name, fastconv.Fire, size, (1, c, s), (1, s, 4 * s), (3, s, 4 * s))


def _inception(name, size, c, n1, r3, n3, r5, n5, pool):
    shapes = (1, c, n1), (1, c, r3), (3, r3, n3), (1, c, r5), (5, r5, n5), (1, c, pool)
    return _block(f"Inception {name}", fastconv.Inception, size, *shapes)


BLOCKS = [
    _block("plain 5×5 192→32@28²", fastconv.MLPConv, 28, (5, 192, 32), padding=2),
    _block("reduced 5×5 192→16→32@28²", fastconv.Reduced, 28, (1, 192, 16), (5, 16, 32), padding=2),
    _inception("3a", 28, 192, 64, 96, 128, 16, 32, 32),
    _inception("4e", 14, 528, 256, 160, 320, 32, 128, 128),
    *(_bottleneck(size, c, c // 4) for size, c in ((56, 256), (28, 512), (14, 1024), (7, 2048))),
    *(_fire(*shape) for shape in ((2, 55, 96, 16), (5, 27, 256, 32), (9, 13, 512, 64))),
    _block(
        "mlpconv 5×5 96→256, 1×1, 1×1@54²", fastconv.MLPConv, 54, (5, 96, 256), (1, 256, 256), (1, 256, 256), padding=2
    ),
]

NETWORKS = {
    "SqueezeNet 1.0": networks.squeezenet,
    "SqueezeNet 1.1": partial(networks.squeezenet, "1.1"),
    "GoogLeNet": networks.googlenet,
    "ResNet-50 v1.5": networks.resnet,
    "AlexNet": networks.alexnet,
    "NIN": networks.nin,
}


def _networks(batch):
    found = {name: function() for name, function in NETWORKS.items()}
    return [Row(name, (batch, *network.input_shape), network.plan) for name, network in found.items()]
