"""ResNet."""

from fastconv._checks.arguments import one_of
from fastconv._checks.types import Layout, StrideIn
from fastconv._graph.graph import Node
from fastconv.networks._builder import Builder, choice
from fastconv.networks._network import Network

_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def resnet(depth: int = 50, *, stride_in: StrideIn = "conv", classes: int = 1000, layout: Layout = "NHWC") -> Network:
    """ResNet of 18, 34, 50, 101 or 152 layers (arXiv:1512.03385, table 1), with torchvision's names.

    The shortcut is a projection where the shape changes (the paper's option B). From 50 layers on the bottlenecks have
    their stride in the 3×3 (v1.5, torchvision's: 4,089,184,256 MACs for 50 layers), or in the first 1×1 for `stride_in`
    "reduce" (v1, the paper's and Keras's: 3,857,973,248).

    Notes
    -----
    Table 1 prints 3.8·10⁹ operations for 50 layers, where the arithmetic gives 3.858·10⁹.

    Examples
    --------
    >>> from fastconv import networks
    >>> networks.resnet(18, layout="NCHW")
    <ResNet-18: (3, 224, 224) → (1000,)>
    """
    stages = choice("depth", depth, _BLOCKS)
    one_of("stride_in", stride_in, ("conv", "reduce"))
    g = Builder(layout, classes)
    x = _normalised(g, g.x, "conv1", "bn1", 7, 64, stride=2)
    x = g.max_pool2d(x, 3, stride=2, padding=1, name="maxpool")
    for stage, blocks in enumerate(stages):
        for i in range(blocks):
            name, width, stride = f"layer{stage + 1}.{i}", 64 * 2**stage, 2 if stage and not i else 1
            if depth < 50:
                convs = [(3, width, stride), (3, width, 1)]
            else:
                strides = (stride, 1) if stride_in == "reduce" else (1, stride)
                convs = [(1, width, strides[0]), (3, width, strides[1]), (1, 4 * width, 1)]
            x = _block(g, x, name, convs, stride)
    x = g.flatten(g.global_avg_pool2d(x, name="avgpool"))
    return g.network(f"ResNet-{depth}", 224, g.softmax(g.fully_connected(x, "fc", convs[-1][1], g.classes)))


def _block(g: Builder, x: Node, name: str, convs: list[tuple[int, int, int]], stride: int) -> Node:
    """relu(branch(x) + shortcut(x)); the branch's convolutions are (kernel size, output channels, stride)."""
    y = x
    for i, (kernel, width, step) in enumerate(convs, 1):
        y = _normalised(g, y, f"{name}.conv{i}", f"{name}.bn{i}", kernel, width, step, relu=i < len(convs))
    if stride > 1 or g.channels(x) != width:
        x = _normalised(g, x, f"{name}.downsample.0", f"{name}.downsample.1", 1, width, stride, relu=False)
    return g.relu(g.add(y, x, name=f"{name}.add"), name=f"{name}.relu")


def _normalised(
    g: Builder, x: Node, conv: str, norm: str, kernel: int, out: int, stride: int = 1, relu: bool = True
) -> Node:
    """A convolution, batch norm and, most often, a ReLU."""
    x = g.conv(x, conv, kernel, out, stride=stride, padding=kernel // 2, bias=False, activation=None)
    x = g.normalised(x, norm)
    return g.relu(x, name=f"{norm}.relu") if relu else x
