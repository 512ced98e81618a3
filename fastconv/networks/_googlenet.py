"""GoogLeNet."""

from fastconv._checks.types import Layout
from fastconv.networks._builder import Builder
from fastconv.networks._network import Network

_INCEPTIONS = {  # the six widths of table 1: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet(*, classes: int = 1000, layout: Layout = "NHWC") -> Network:
    """GoogLeNet, 6,998,552 parameters and 1,582,671,872 MACs (arXiv:1409.4842, table 1).

    Pools and local response normalisation are those of Caffe's model; the auxiliary classifiers are left out.

    Notes
    -----
    Table 1 prints, in thousands of 1024 weights and in millions of operations, cells that its own sizes do not give.
    Parameters: conv1 2.7 (9.2), 4a 364 (366.8), 4b 437 (438.0), 4c 463 (497.5), 4d 580 (590.5), 4e 840 (847.0), 5a 1072
    (1018.0), 5b 1388 (1409.0). Operations: conv1 34 (118.0), 5a 54 (51.1). In brackets is the arithmetic, which stands
    here. The printed conv1 would fit a depthwise 7×7 of multiplier 8 and a 1×1 to 64 after it.

    Examples
    --------
    >>> from fastconv import networks
    >>> networks.googlenet(classes=10)
    <GoogLeNet: (224, 224, 3) → (10,)>
    """
    g = Builder(layout, classes)
    x = g.conv(g.x, "conv1", 7, 64, stride=2, padding=3)
    x = g.max_pool2d(x, 3, stride=2, ceil_mode=True, name="pool1")
    x = g.block("reduced", g.local_response_norm(x, name="norm1"), "conv2", (1, 64, 64), (3, 64, 192), padding=1)
    x = g.max_pool2d(g.local_response_norm(x, name="norm2"), 3, stride=2, ceil_mode=True, name="pool2")
    for name, (n1, r3, n3, r5, n5, projection) in _INCEPTIONS.items():
        c = g.channels(x)
        parts = (1, c, n1), (1, c, r3), (3, r3, n3), (1, c, r5), (5, r5, n5), (1, c, projection)
        x = g.block("inception", x, name, *parts)
        if name in ("3b", "4e"):
            x = g.max_pool2d(x, 3, stride=2, ceil_mode=True, name=f"pool{name[0]}")
    x = g.dropout(g.flatten(g.global_avg_pool2d(x, name="average")))
    return g.network("GoogLeNet", 224, g.softmax(g.fully_connected(x, "linear", 1024, g.classes)))
