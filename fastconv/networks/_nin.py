"""Network in Network."""

from fastconv._checks.types import Layout
from fastconv.networks._builder import Builder, choice
from fastconv.networks._network import Network

_MLPCONVS = {  # for each its kernel size, stride, padding and widths, the last of which is the number of classes
    "cifar10": [(5, 1, 2, 192, 160, 96), (5, 1, 2, 192, 192, 192), (3, 1, 1, 192, 192, 10)],
    "imagenet": [
        (11, 4, 0, 96, 96, 96),
        (5, 1, 2, 256, 256, 256),
        (3, 1, 1, 384, 384, 384),
        (3, 1, 1, 1024, 1024, 1000),
    ],
}


def nin(dataset: str = "imagenet", *, layout: Layout = "NHWC") -> Network:
    """Network in Network for "cifar10" or "imagenet": 966,986 or 7,595,176 parameters.

    From arXiv:1312.4400 and its authors' configurations for cuda-convnet and Caffe.

    Examples
    --------
    >>> from fastconv import networks
    >>> networks.nin("cifar10")
    <NIN cifar10: (32, 32, 3) → (10,)>
    """
    mlpconvs = choice("dataset", dataset, _MLPCONVS)
    g = Builder(layout, mlpconvs[-1][-1])
    x = g.x
    for i, (size, stride, padding, a, b, c) in enumerate(mlpconvs, 1):
        parts = (size, g.channels(x), a), (1, a, b), (1, b, c)
        x = g.block("mlpconv", x, f"mlpconv{i}", *parts, stride=stride, padding=padding)
        if i < len(mlpconvs):
            x = g.dropout(g.max_pool2d(x, 3, stride=2, ceil_mode=True, name=f"pool{i}"))
    x = g.flatten(g.global_avg_pool2d(x, name="average"))
    return g.network(f"NIN {dataset}", 32 if dataset == "cifar10" else 224, g.softmax(x))
