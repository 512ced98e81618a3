"""The layers of published networks, from compact tables: what the benchmarks measure and the tests try.

`alexnet`, `googlenet`, `nin`, `resnet` and `squeezenet` give the ordered `Layer`s of one image's way through a network;
`convolutions` takes their blocks apart and `total_cost` adds them up. Batch norm counts as folded into weight and bias,
so every convolution has a bias; normalisation across channels, dropout and softmax are left out. Where a number printed
in a paper disagrees with the arithmetic, the network's function says so.

Examples
--------
>>> from fastconv import networks
>>> for layer in networks.squeezenet("1.0")[:3]:
...     print(layer.name, layer.kind, layer.x_shape, f"{layer.cost().macs:,}")
conv1 conv2d (227, 227, 3) 173,873,952
pool1 max_pool2d (111, 111, 96) 0
fire2 fire (55, 55, 96) 35,622,400
"""

from fastconv import cost
from fastconv._layers import Builder, Layer


def convolutions(network):
    """The convolutions of a network as layers of kind "conv2d", in order; fully connected layers are left out.

    Each has one weight, "weight", and the options stride, (h, w), padding, ((top, bottom), (left, right)), and groups.

    Examples
    --------
    >>> layer = convolutions(googlenet())[5]
    >>> layer.name, layer.x_shape, layer.weights["weight"], layer.options["padding"]
    ('3a.branch3x3', (28, 28, 96), (3, 3, 96, 128), ((1, 1), (1, 1)))
    """
    return [
        Layer(
            layer.name if layer.kind == "conv2d" else f"{layer.name}.{part}",
            "conv2d",
            (shape.height, shape.width, shape.in_channels),
            {"weight": (*shape.kernel, shape.in_channels // shape.groups, shape.out_channels)},
            {"stride": shape.stride, "padding": shape.padding, "groups": shape.groups},
        )
        for layer in network
        if not layer.is_fully_connected
        for part, shape in layer.conv_shapes.items()
    ]


def total_cost(network, itemsize=4):
    """The sum of the layers' costs for one image.

    Examples
    --------
    >>> total_cost(googlenet())
    Cost(macs=1582671872, params=6998552, bytes=53621248)
    """
    return sum((layer.cost(itemsize) for layer in network), cost.Cost())


def alexnet():
    """AlexNet with its two groups, 60,965,224 parameters (Krizhevsky, Sutskever and Hinton, NIPS 2012)."""
    net = Builder((227, 227, 3))
    net.conv("conv1", 11, 96, stride=4)
    net.pool("pool1")
    net.conv("conv2", 5, 256, padding=2, groups=2)
    net.pool("pool2")
    net.conv("conv3", 3, 384, padding=1)
    net.conv("conv4", 3, 384, padding=1, groups=2)
    net.conv("conv5", 3, 256, padding=1, groups=2)
    net.pool("pool5")
    net.fully_connected("fc6", 4096)
    net.fully_connected("fc7", 4096)
    net.fully_connected("fc8", 1000)
    return net.layers


_NIN = {  # for each mlpconv its kernel size, stride, padding and widths
    "cifar10": [(5, 1, 2, 192, 160, 96), (5, 1, 2, 192, 192, 192), (3, 1, 1, 192, 192, 10)],
    "imagenet": [
        (11, 4, 0, 96, 96, 96),
        (5, 1, 2, 256, 256, 256),
        (3, 1, 1, 384, 384, 384),
        (3, 1, 1, 1024, 1024, 1000),
    ],
}


def _choice(name, value, table):
    if value not in table:
        raise ValueError(f"{name} must be one of {tuple(table)}, got {value!r}")
    return table[value]


def nin(dataset="imagenet"):
    """Network in Network for "cifar10" or "imagenet": 966,986 or 7,595,176 parameters.

    From arXiv:1312.4400 and its authors' configurations for cuda-convnet and Caffe.
    """
    net = Builder((32, 32, 3) if dataset == "cifar10" else (224, 224, 3))
    for i, (size, stride, padding, a, b, c) in enumerate(_choice("dataset", dataset, _NIN), 1):
        parts = (size, net.x_shape[2], a), (1, a, b), (1, b, c)
        net.block("mlpconv", f"mlpconv{i}", *parts, stride=stride, padding=padding)
        if i < len(_NIN[dataset]):
            net.pool(f"pool{i}")
    net.average()
    return net.layers


_GOOGLENET = {  # the six widths of table 1: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection
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


def googlenet():
    """GoogLeNet, 6,998,552 parameters and 1,582,671,872 MACs (arXiv:1409.4842, table 1).

    Notes
    -----
    Table 1 prints, in thousands of 1024 weights and in millions of operations, cells that its own sizes do not give.
    Parameters: conv1 2.7 (9.2), 4a 364 (366.8), 4b 437 (438.0), 4c 463 (497.5), 4d 580 (590.5), 4e 840 (847.0), 5a 1072
    (1018.0), 5b 1388 (1409.0). Operations: conv1 34 (118.0), 5a 54 (51.1). In brackets is the arithmetic, which stands
    here. The printed conv1 would fit a depthwise 7×7 of multiplier 8 and a 1×1 to 64 after it.
    """
    net = Builder((224, 224, 3))
    net.conv("conv1", 7, 64, stride=2, padding=3)
    net.pool("pool1")
    net.block("reduced", "conv2", (1, 64, 64), (3, 64, 192), padding=1)
    net.pool("pool2")
    for name, (n1, r3, n3, r5, n5, projection) in _GOOGLENET.items():
        c = net.x_shape[2]
        net.block("inception", name, (1, c, n1), (1, c, r3), (3, r3, n3), (1, c, r5), (5, r5, n5), (1, c, projection))
        if name in ("3b", "4e"):
            net.pool(f"pool{name[0]}")
    net.average()
    net.fully_connected("linear", 1000)
    return net.layers


_RESNET = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def resnet(depth=50, *, stride_in="conv"):
    """ResNet of 18, 34, 50, 101 or 152 layers (arXiv:1512.03385, table 1).

    The shortcut is a projection where the shape changes (the paper's option B). From 50 layers on the bottlenecks have
    their stride in the 3×3 (v1.5: 4,089,184,256 MACs for 50 layers), or in the first 1×1 for `stride_in` "reduce" (v1,
    the paper's: 3,857,973,248).

    Notes
    -----
    The blocks of 18 and 34 layers come as single convolutions: "conv3_1.a", "conv3_1.b" and, from the block's input,
    "conv3_1.shortcut"; without the shortcuts they are the networks of option A.

    With batch norm folded into the biases 50 layers have 25,530,472 parameters; the usual 25,557,032 counts a scale and
    a shift. Table 1 prints 3.8·10⁹ operations for 50 layers, where the arithmetic gives 3.858·10⁹.
    """
    net = Builder((224, 224, 3))
    net.conv("conv1", 7, 64, stride=2, padding=3)
    net.pool("pool1")
    for stage, blocks in enumerate(_choice("depth", depth, _RESNET)):
        for i in range(blocks):
            stride = 2 if stage and not i else 1
            name = f"conv{stage + 2}_{i + 1}"
            if depth < 50:
                _basic_block(net, name, 64 * 2**stage, stride)
            else:
                _bottleneck(net, name, 64 * 2**stage, stride, stride_in)
    net.average()
    net.fully_connected("fc", 1000)
    return net.layers


def _basic_block(net, name, width, stride):
    x_shape = net.x_shape
    net.conv(f"{name}.a", 3, width, stride=stride, padding=1)
    net.conv(f"{name}.b", 3, width, padding=1)
    if net.x_shape != x_shape:
        net.x_shape = x_shape
        net.conv(f"{name}.shortcut", 1, width, stride=stride)


def _bottleneck(net, name, width, stride, stride_in):
    c, out = net.x_shape[2], 4 * width
    projection = [(1, c, out)] if stride != 1 or c != out else []
    parts = (1, c, width), (3, width, width), (1, width, out), *projection
    net.block("bottleneck", name, *parts, stride=stride, stride_in=stride_in)


# conv1's kernel size and width, the fire modules before a pool, conv10's padding
_SQUEEZENET = {"1.0": (7, 96, (4, 8), 1), "1.1": (3, 64, (3, 5), 0)}


def squeezenet(version="1.0"):
    """SqueezeNet "1.0" (1,248,424 parameters) or "1.1" (1,235,496), from arXiv:1602.07360 and its authors' models.

    Fire module i squeezes to 16·⌊i/2⌋ channels and expands to four times as many of 1×1 and of 3×3 each.
    """
    size, width, pooled, padding = _choice("version", version, _SQUEEZENET)
    net = Builder((227, 227, 3))
    net.conv("conv1", size, width, stride=2)
    net.pool("pool1")
    for i in range(2, 10):
        c, squeeze, expand = net.x_shape[2], 16 * (i // 2), 64 * (i // 2)
        net.block("fire", f"fire{i}", (1, c, squeeze), (1, squeeze, expand), (3, squeeze, expand))
        if i in pooled:
            net.pool(f"pool{i}")
    net.conv("conv10", 1, 1000, padding=padding)
    net.average()
    return net.layers
