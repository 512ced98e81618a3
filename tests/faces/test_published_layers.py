"""Every distinct layer of the published networks, at its real size, exactly on whole numbers."""

import numpy as np
import pytest
from cases import integers
from compare import assert_conv, assert_equal_exact

import fastconv
from fastconv import networks, reference

NETWORKS = {
    "AlexNet": networks.alexnet(),
    "NIN CIFAR-10": networks.nin("cifar10"),
    "NIN": networks.nin(),
    "GoogLeNet": networks.googlenet(),
    "ResNet-18": networks.resnet(18),
    "ResNet-50": networks.resnet(50),
    "ResNet-50 v1": networks.resnet(50, stride_in="reduce"),
    "SqueezeNet 1.0": networks.squeezenet("1.0"),
    "SqueezeNet 1.1": networks.squeezenet("1.1"),
}


def distinct(pieces):
    """Parameters for what `pieces(network)` gives, (name, what makes it one of its own, piece), named by the first."""
    found = {}
    for network_name, network in NETWORKS.items():
        for name, own, piece in pieces(network):
            found.setdefault(own, pytest.param(piece, id=f"{network_name} {name}"))
    return list(found.values())


def whole(*shape):
    return integers(np.random.default_rng(0), shape, "float32")


@pytest.mark.parametrize("conv", distinct(lambda net: [(name, conv, conv) for name, conv in net.conv_shapes().items()]))
def test_convolutions(conv):
    x = whole(conv.height, conv.width, conv.in_channels)
    weight = whole(*conv.kernel, conv.in_channels // conv.groups, conv.out_channels)
    bias = whole(conv.out_channels)
    options = {"stride": conv.stride, "padding": conv.padding, "groups": conv.groups}
    want = reference.conv2d(x, weight, bias, **options)
    assert_equal_exact(fastconv.conv2d(x, weight, bias, **options, algorithm="direct"), want, "float32")
    assert_conv(fastconv.conv2d(x, weight, bias, **options), x, weight, bias, **options)
    nchw = x.transpose(2, 0, 1), weight.transpose(3, 2, 0, 1), bias
    got = fastconv.conv2d(*nchw, **options, layout="NCHW", algorithm="direct")
    assert_equal_exact(got, want.transpose(2, 0, 1), "float32")
    if conv.is_pointwise:
        assert_equal_exact(fastconv.conv2d(x, weight, bias, **options, algorithm="blas"), want, "float32")


def exact_layers(network):
    """Those whose results are right to the last bit, but for AlexNet's fc6 and fc7, whose weights fill a gigabyte."""
    for layer in network.layers():
        operations = tuple(node.operation for node in layer._graph.nodes)
        rounds = {"batch_norm", "local_response_norm", "softmax"}.intersection(one.kind for one in operations)
        if not rounds and layer.cost().params < 1e7:
            shapes = *layer.weight_shapes.values(), *layer.conv_shapes().values()
            yield layer.name, (layer.input_shape, shapes, tuple(map(str, operations))), layer


@pytest.mark.usefixtures("exact_algorithms")
@pytest.mark.parametrize("layer", distinct(exact_layers))
def test_layers(layer):
    x, weights = whole(*layer.input_shape), {name: whole(*shape) for name, shape in layer.weight_shapes.items()}
    plan = layer.plan(weights)
    want = reference.graph(plan, x)
    assert np.abs(want).max() < 2**24
    assert want.shape == layer.output_shape
    np.testing.assert_array_equal(plan(x), want.astype(np.float32))
