"""AlexNet."""

from fastconv._checks.types import Layout
from fastconv.networks._builder import Builder
from fastconv.networks._network import Network


def alexnet(*, classes: int = 1000, layout: Layout = "NHWC") -> Network:
    """AlexNet with its two groups, 60,965,224 parameters (Krizhevsky, Sutskever and Hinton, NIPS 2012).

    The local response normalisation is that of Caffe's model, k = 1 and α = 1e-4 / 5; the paper has k = 2, α = 1e-4.

    Examples
    --------
    >>> from fastconv import networks
    >>> networks.alexnet()
    <AlexNet: (227, 227, 3) → (1000,)>
    """
    g = Builder(layout, classes)
    x = g.local_response_norm(g.conv(g.x, "conv1", 11, 96, stride=4), name="norm1")
    x = g.max_pool2d(x, 3, stride=2, name="pool1")
    x = g.local_response_norm(g.conv(x, "conv2", 5, 256, padding=2, groups=2), name="norm2")
    x = g.max_pool2d(x, 3, stride=2, name="pool2")
    x = g.conv(x, "conv3", 3, 384, padding=1)
    x = g.conv(x, "conv4", 3, 384, padding=1, groups=2)
    x = g.conv(x, "conv5", 3, 256, padding=1, groups=2)
    x = g.flatten(g.max_pool2d(x, 3, stride=2, name="pool5"))
    x = g.dropout(g.fully_connected(x, "fc6", 6 * 6 * 256, 4096, activation="relu"))
    x = g.dropout(g.fully_connected(x, "fc7", 4096, 4096, activation="relu"))
    return g.network("AlexNet", 227, g.softmax(g.fully_connected(x, "fc8", 4096, g.classes)))
