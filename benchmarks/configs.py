"""Every block as a formula of its channel count c, stated once.

All take a square map of c channels to one of the same size and c channels, so each can stand where the plain
convolution of the kernel that its name ends with stood: the suite sets the operations and the time saved side by side.
"""

from dataclasses import replace
from functools import cache

from fastconv import networks

from .layers import Layer, convolutions

CHANNELS = (16, 32, 64, 128, 256, 512)
LAYER_CHANNELS = (4, 8, *CHANNELS)  # for single convolutions: small counts are where the algorithm changes
SMALL_CHANNELS = (16, 32, 64)  # for the NumPy reference, which is slow
MAP_SIZE = 28  # pixels a side, the middle of GoogLeNet and ResNet


def _layer(kind, weights, c, **options):
    return Layer(f"{kind} {c}", kind, (MAP_SIZE, MAP_SIZE, c), weights, options)


def _plain(c, k):
    return _layer("conv2d", {"weight": (k, k, c, c)}, c, padding=k // 2)


def _reduced(c, k, ratio):
    """GoogLeNet's 1×1 to c / ratio channels before the k×k (arXiv:1409.4842, section 4)."""
    n = c // ratio
    return _layer("reduced", {"reduce": (1, 1, c, n), "conv": (k, k, n, c)}, c, padding=k // 2)


def _bottleneck(c, k, ratio):
    """ResNet's, with the identity shortcut (arXiv:1512.03385, figure 5); there the ratio is 4."""
    n = c // ratio
    return _layer("bottleneck", {"reduce": (1, 1, c, n), "conv": (k, k, n, n), "expand": (1, 1, n, c)}, c)


def _fire(c, ratio):
    """SqueezeNet's, half of its outputs 3×3 (arXiv:1602.07360, section 3.3); there the ratio is 8."""
    s, e = c // ratio, c // 2
    return _layer("fire", {"squeeze": (1, 1, c, s), "expand1x1": (1, 1, s, e), "expand3x3": (3, 3, s, e)}, c)


BLOCKS = {  # name: Layer at c channels; the number is the reduction ratio
    "plain 3x3": lambda c: _plain(c, 3),
    "reduced/2 3x3": lambda c: _reduced(c, 3, 2),
    "reduced/4 3x3": lambda c: _reduced(c, 3, 4),
    "reduced/8 3x3": lambda c: _reduced(c, 3, 8),
    "bottleneck/4 3x3": lambda c: _bottleneck(c, 3, 4),
    "fire/8 3x3": lambda c: _fire(c, 8),
    "plain 5x5": lambda c: _plain(c, 5),
    "reduced/8 5x5": lambda c: _reduced(c, 5, 8),
}


POINTWISE = {  # the 1×1s that blocks are made of
    "1x1 c→c": lambda c: _layer("conv2d", {"weight": (1, 1, c, c)}, c),
    "1x1 c→c/4": lambda c: _layer("conv2d", {"weight": (1, 1, c, c // 4)}, c),
    "1x1 c→4c": lambda c: _layer("conv2d", {"weight": (1, 1, c, 4 * c)}, c),
}

SPATIAL = {  # k×k, c channels to c
    "3x3": lambda c: _plain(c, 3),
    "3x3 stride 2": lambda c: _layer("conv2d", {"weight": (3, 3, c, c)}, c, padding=1, stride=2),
    "5x5": lambda c: _plain(c, 5),
    "7x7": lambda c: _plain(c, 7),
}

# Those of which several algorithms are capable, c channels to c.
CHOICES = {"1x1 c→c": POINTWISE["1x1 c→c"], "3x3": SPATIAL["3x3"], "5x5": SPATIAL["5x5"]}

# Its arithmetic takes about a microsecond: what a call takes beyond that is overhead.
SMALLEST = Layer("1x1 16→16", "conv2d", (8, 8, 16), {"weight": (1, 1, 16, 16)}, {})


def conv(size, c, k, r=3, stride=1, padding=None, groups=1):
    """A convolution from c to k channels on a square map, padded by half its kernel unless told otherwise."""
    padding = r // 2 if padding is None else padding
    options = {"stride": stride, "padding": padding, "groups": groups}
    layer = Layer("", "conv2d", (size, size, c), {"weight": (r, r, c // groups, k)}, options)
    return replace(layer, name=geometry(layer))


def geometry(conv):
    """A convolution's shapes in short: 3×3/2 128→128@56² 2 groups."""
    shape = conv.conv_shapes["weight"]
    r, stride, groups = shape.kernel[0], shape.stride[0], shape.groups
    name = f"{r}×{r}" + f"/{stride}" * (stride > 1) + f" {shape.in_channels}→{shape.out_channels}@{shape.height}²"
    return name + f" {groups} groups" * (groups > 1)


@cache
def published():
    """{name: Network} of the published networks' layers with weights, each once; no fully connected layers."""
    layers = {}
    for function in (networks.squeezenet, networks.googlenet, networks.resnet, networks.alexnet, networks.nin):
        for layer in function().layers(2 if function is networks.resnet else 1):
            if shapes := tuple(layer.conv_shapes().values()):
                layers.setdefault(shapes, (f"{function.__name__} {layer.name}", layer))
    return dict(layers.values())


def published_convolutions():
    """[Layer] of the convolutions inside the four networks that the peers are raced on, each once."""
    layers = {}
    for function in (networks.squeezenet, networks.googlenet, networks.resnet, networks.alexnet):
        for layer in convolutions(function()):
            named = replace(layer, name=f"{function.__name__} {layer.name} {geometry(layer)}")
            layers.setdefault(layer.conv_shapes["weight"], named)
    return list(layers.values())


# Small and large maps, few weights and many: what packing adds to a call.
PACKED_IN_CALLS = {
    layer.name: layer for layer in (conv(55, 16, 64), conv(56, 64, 64), conv(14, 256, 256), conv(28, 192, 32, 5))
}
