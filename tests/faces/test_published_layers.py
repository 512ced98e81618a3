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
CLASSES = {cls.lower(): getattr(fastconv, cls) for cls in ("MLPConv", "Reduced", "Bottleneck", "Fire", "Inception")}


def distinct(take):
    """Parameters for the layers that `take(network)` gives, each geometry once, named by its first network."""
    found = {}
    for name, network in NETWORKS.items():
        for layer in take(network):
            geometry = layer.kind, layer.x_shape, tuple(layer.weights.values()), repr(layer.options)
            found.setdefault(geometry, pytest.param(layer, id=f"{name} {layer.name}"))
    return list(found.values())


def of_kinds(*kinds):
    return distinct(lambda network: [layer for layer in network if layer.kind in kinds])


def data(layer):
    """x and the (weight, bias) pairs of a layer."""
    rng = np.random.default_rng(0)
    x, *weights = (integers(rng, shape, "float32") for shape in (layer.x_shape, *layer.weights.values()))
    return x, [(weight, integers(rng, weight.shape[3:], "float32")) for weight in weights]


def convolutions(network):
    """All of a network's but AlexNet's fc6, whose 38 million weights take NumPy a gigabyte."""
    connected = [layer for layer in network if layer.is_fully_connected and layer.cost().params < 2e7]
    return networks.convolutions(network) + connected


@pytest.mark.parametrize("layer", distinct(convolutions))
def test_convolutions(layer):
    x, [(weight, bias)] = data(layer)
    want = reference.conv2d(x, weight, bias, **layer.options)
    assert_equal_exact(fastconv.conv2d(x, weight, bias, **layer.options, algorithm="direct"), want, "float32")
    assert_conv(fastconv.conv2d(x, weight, bias, **layer.options), x, weight, bias, **layer.options)
    nchw = fastconv.conv2d(
        x.transpose(2, 0, 1), weight.transpose(3, 2, 0, 1), bias, **layer.options, layout="NCHW", algorithm="direct"
    )
    assert_equal_exact(nchw, want.transpose(2, 0, 1), "float32")
    if layer.weights["weight"][:2] == (1, 1) and layer.options.get("padding", 0) in (0, ((0, 0), (0, 0))):
        blas = fastconv.conv2d(x, weight, bias, **layer.options, algorithm="blas")
        assert_equal_exact(blas, want, "float32")


@pytest.mark.usefixtures("without_winograd")
@pytest.mark.parametrize("layer", of_kinds(*CLASSES))
def test_blocks(layer):
    x, pairs = data(layer)
    want = getattr(reference, layer.kind)(x, *pairs, **layer.options)
    assert np.abs(want).max() < 2**24
    assert_equal_exact(CLASSES[layer.kind](*pairs, **layer.options)(x), want, "float32")
    assert want.shape == layer.out_shape


@pytest.mark.parametrize("layer", of_kinds("max_pool2d", "avg_pool2d", "global_avg_pool2d"))
def test_pools(layer):
    x, _ = data(layer)
    want = getattr(reference, layer.kind)(x, **layer.options)
    got = getattr(fastconv, layer.kind)(x, **layer.options)
    assert got.shape == layer.out_shape
    np.testing.assert_array_equal(got, want.astype(np.float32))
