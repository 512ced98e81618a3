"""The published networks: their papers' numbers, row by row."""

import numpy as np
import pytest

from fastconv import networks
from fastconv.cost import Cost

NETWORKS = {
    "alexnet": networks.alexnet(),
    "googlenet": networks.googlenet(),
    "nin cifar10": networks.nin("cifar10"),
    "nin imagenet": networks.nin("imagenet"),
    "squeezenet 1.0": networks.squeezenet("1.0"),
    "squeezenet 1.1": networks.squeezenet("1.1"),
    **{f"resnet {depth}": networks.resnet(depth) for depth in (18, 34, 50, 101, 152)},
    **{f"resnet {depth} v1": networks.resnet(depth, stride_in="reduce") for depth in (50, 101, 152)},
}

# network: (parameters, MACs)
TOTALS = {
    "alexnet": (60_965_224, 724_406_816),
    "googlenet": (6_998_552, 1_582_671_872),
    "nin cifar10": (966_986, 222_486_528),
    "nin imagenet": (7_595_176, 1_100_188_800),
    "squeezenet 1.0": (1_248_424, 861_339_936),
    "squeezenet 1.1": (1_235_496, 387_747_520),
    "resnet 18": (11_689_512, 1_814_073_344),
    "resnet 34": (21_797_672, 3_663_761_408),
    "resnet 50": (25_557_032, 4_089_184_256),
    "resnet 101": (44_549_160, 7_801_405_440),
    "resnet 152": (60_192_808, 11_513_626_624),
    "resnet 50 v1": (25_557_032, 3_857_973_248),
    "resnet 101 v1": (44_549_160, 7_570_194_432),
    "resnet 152 v1": (60_192_808, 11_282_415_616),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_totals(name):
    net = NETWORKS[name]
    parts = sum((layer.cost() for layer in net.layers()), Cost())
    total, weights = (
        net.cost(),
        (np.prod(shape) for part, shape in net.weight_shapes.items() if ".running_" not in part),
    )
    assert (total.params, total.macs) == (parts.params, parts.macs) == TOTALS[name]
    assert sum(weights) == total.params
    assert net.output_shape == (net.classes,) == ((10,) if name == "nin cifar10" else (1000,))


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_chain(name):
    network = NETWORKS[name]
    for depth in (1, 2) if name.startswith("resnet") else (1,):
        layers = network.layers(depth)
        ends = [network.input_shape, *(without_ones(layer.output_shape) for layer in layers)]
        assert [without_ones(layer.input_shape) for layer in layers] == ends[:-1]
        assert ends[-1] == network.output_shape


def without_ones(shape):
    """A shape whose vectors are those of maps of one pixel."""
    return tuple(n for n in shape if n > 1)


# depth: convolutions, their weights, their MACs (v1), with projections (B) and without (A)
RESNETS = {
    (18, "B"): (20, 11_166_912, 1_813_561_344),
    (18, "A"): (17, 10_994_880, 1_794_293_760),
    (34, "B"): (36, 21_267_648, 3_663_249_408),
    (34, "A"): (33, 21_095_616, 3_643_981_824),
    (50, "B"): (53, 23_454_912, 3_855_925_248),
    (101, "B"): (104, 42_394_816, 7_568_146_432),
    (152, "B"): (155, 57_992_384, 11_280_367_616),
}


@pytest.mark.parametrize(("depth", "option"), RESNETS)
def test_resnets_convolutions(depth, option):
    convs = networks.resnet(depth, stride_in="reduce").conv_shapes().items()
    convs = [conv for name, conv in convs if option == "B" or "downsample" not in name]
    weights = sum(conv.terms * conv.out_channels for conv in convs)
    assert (len(convs), weights, sum(conv.macs for conv in convs)) == RESNETS[depth, option]


# layer: (output, parameters), the columns of SqueezeNet's table 1
SQUEEZENET = {
    "conv1": ((111, 111, 96), 14_208),
    "pool1": ((55, 55, 96), 0),
    "fire2": ((55, 55, 128), 11_920),
    "fire3": ((55, 55, 128), 12_432),
    "fire4": ((55, 55, 256), 45_344),
    "pool4": ((27, 27, 256), 0),
    "fire5": ((27, 27, 256), 49_440),
    "fire6": ((27, 27, 384), 104_880),
    "fire7": ((27, 27, 384), 111_024),
    "fire8": ((27, 27, 512), 188_992),
    "pool8": ((13, 13, 512), 0),
    "fire9": ((13, 13, 512), 197_184),
    "conv10": ((15, 15, 1000), 513_000),
    "average": ((1, 1, 1000), 0),
}

# layer: (output, weights, MACs), the arithmetic of GoogLeNet's table 1
GOOGLENET = {
    "conv1": ((112, 112, 64), 9_408, 118_013_952),
    "conv2": ((56, 56, 192), 114_688, 359_661_568),
    "3a": ((28, 28, 256), 163_328, 128_049_152),
    "3b": ((28, 28, 480), 388_096, 304_267_264),
    "4a": ((14, 14, 512), 375_552, 73_608_192),
    "4b": ((14, 14, 512), 448_512, 87_908_352),
    "4c": ((14, 14, 512), 509_440, 99_850_240),
    "4d": ((14, 14, 528), 604_672, 118_515_712),
    "4e": ((14, 14, 832), 867_328, 169_996_288),
    "5a": ((7, 7, 832), 1_042_432, 51_079_168),
    "5b": ((7, 7, 1024), 1_442_816, 70_697_984),
    "linear": ((1, 1, 1000), 1_024_000, 1_024_000),
}

# layer: (output, parameters, MACs)
ALEXNET = {
    "conv1": ((55, 55, 96), 34_944, 105_415_200),
    "pool1": ((27, 27, 96), 0, 0),
    "conv2": ((27, 27, 256), 307_456, 223_948_800),
    "pool2": ((13, 13, 256), 0, 0),
    "conv3": ((13, 13, 384), 885_120, 149_520_384),
    "conv4": ((13, 13, 384), 663_936, 112_140_288),
    "conv5": ((13, 13, 256), 442_624, 74_760_192),
    "pool5": ((6, 6, 256), 0, 0),
    "fc6": ((1, 1, 4096), 37_752_832, 37_748_736),
    "fc7": ((1, 1, 4096), 16_781_312, 16_777_216),
    "fc8": ((1, 1, 1000), 4_097_000, 4_096_000),
}


def rows(network, table):
    """{layer: (output shape, `Cost`)} of the layers that stand in the table."""
    return {layer.name: (layer.output_shape, layer.cost()) for layer in network.layers() if layer.name in table}


def test_squeezenet_row_by_row():
    found = rows(NETWORKS["squeezenet 1.0"], SQUEEZENET)
    assert list(found) == list(SQUEEZENET)
    assert {name: (shape, cost.params) for name, (shape, cost) in found.items()} == SQUEEZENET


def test_googlenet_row_by_row():
    network = NETWORKS["googlenet"]
    biases = {layer.name: sum(s[0] for s in layer.weight_shapes.values() if len(s) == 1) for layer in network.layers()}
    found = rows(network, GOOGLENET)
    assert {name: (s, cost.params - biases[name], cost.macs) for name, (s, cost) in found.items()} == GOOGLENET


def test_alexnet_row_by_row():
    found = rows(NETWORKS["alexnet"], ALEXNET)
    assert {name: (shape, cost.params, cost.macs) for name, (shape, cost) in found.items()} == ALEXNET


# convolution: (input, output, parameters), Network in Network on CIFAR-10
NIN = {
    "mlpconv1.conv": ((32, 32, 3), (32, 32, 192), 14_592),
    "mlpconv1.cccp1": ((32, 32, 192), (32, 32, 160), 30_880),
    "mlpconv1.cccp2": ((32, 32, 160), (32, 32, 96), 15_456),
    "mlpconv2.conv": ((16, 16, 96), (16, 16, 192), 460_992),
    "mlpconv2.cccp1": ((16, 16, 192), (16, 16, 192), 37_056),
    "mlpconv2.cccp2": ((16, 16, 192), (16, 16, 192), 37_056),
    "mlpconv3.conv": ((8, 8, 192), (8, 8, 192), 331_968),
    "mlpconv3.cccp1": ((8, 8, 192), (8, 8, 192), 37_056),
    "mlpconv3.cccp2": ((8, 8, 192), (8, 8, 10), 1_930),
}


def test_network_in_network_row_by_row():
    network = NETWORKS["nin cifar10"]
    parts = [network.part(name) for name in network.conv_shapes()]
    assert {part.name: (part.input_shape, part.output_shape, part.cost().params) for part in parts} == NIN


def test_stages_of_a_resnet():
    shapes = {layer.name: layer.output_shape for layer in networks.resnet(layout="NCHW").layers()}
    stages = {"conv1": (64, 112, 112), "maxpool": (64, 56, 56), "layer1": (256, 56, 56), "layer4": (2048, 7, 7)}
    assert shapes | stages == shapes


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: networks.resnet(51), r"^depth must be one of \(18, 34, 50, 101, 152\), got 51$"),
        (lambda: networks.resnet([50]), r"^depth must be one of .*, got \[50\]$"),
        (lambda: networks.resnet(stride_in="pool"), "^stride_in must be one of"),
        (lambda: networks.squeezenet("1.2"), r"^version must be one of \('1.0', '1.1'\), got '1.2'"),
        (lambda: networks.nin("ImageNet"), r"^dataset must be one of .* \(did you mean imagenet\?\)$"),
        (lambda: networks.googlenet(layout="HWCN"), "^layout must be one of"),
        (lambda: networks.alexnet(classes=0), "^classes must be at least 1, got 0$"),
        (lambda: networks.resnet().part("layer5"), r"^name must be that of a part of ResNet-50 .*, got 'layer5'$"),
        (lambda: networks.resnet().part("layer1.0.add"), "^name must be that of a part of ResNet-50 with one input"),
        (lambda: networks.nin().cost((8, 8, 3)), "mlpconv1.conv: "),
    ],
)
def test_errors(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
