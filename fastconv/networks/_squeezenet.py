"""SqueezeNet."""

from fastconv._checks.types import Layout
from fastconv.networks._builder import Builder, choice
from fastconv.networks._network import Network

# conv1's kernel size and width, the fire modules before a pool, conv10's padding
_VERSIONS = {"1.0": (7, 96, (4, 8), 1), "1.1": (3, 64, (3, 5), 0)}


def squeezenet(version: str = "1.0", *, classes: int = 1000, layout: Layout = "NHWC") -> Network:
    """SqueezeNet "1.0" (1,248,424 parameters) or "1.1" (1,235,496), from arXiv:1602.07360 and its authors' models.

    Fire module i squeezes to 16·⌊i/2⌋ channels and expands to four times as many of 1×1 and of 3×3 each. conv10 of
    version 1.0 is padded by 1, as in the paper's table 1; torchvision's is not.

    Examples
    --------
    >>> from fastconv import networks
    >>> networks.squeezenet("1.1")
    <SqueezeNet 1.1: (227, 227, 3) → (1000,)>
    """
    size, width, pooled, padding = choice("version", version, _VERSIONS)
    g = Builder(layout, classes)
    x = g.conv(g.x, "conv1", size, width, stride=2)
    x = g.max_pool2d(x, 3, stride=2, ceil_mode=True, name="pool1")
    for i in range(2, 10):
        squeeze, expand = 16 * (i // 2), 64 * (i // 2)
        x = g.block("fire", x, f"fire{i}", (1, g.channels(x), squeeze), (1, squeeze, expand), (3, squeeze, expand))
        if i in pooled:
            x = g.max_pool2d(x, 3, stride=2, ceil_mode=True, name=f"pool{i}")
    x = g.conv(g.dropout(x), "conv10", 1, g.classes, padding=padding)
    x = g.flatten(g.global_avg_pool2d(x, name="average"))
    return g.network(f"SqueezeNet {version}", 227, g.softmax(x))
