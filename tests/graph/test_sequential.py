"""Plans one after the other: results, bits, names, cost."""

import numpy as np
import pytest
from cases import SMALL_BLOCKS, normals, small_block
from graph_bounds import assert_right
from graph_cases import FIRE, RNG, X, steps

import fastconv
from fastconv import networks

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_sequence_is_its_layers_one_after_the_other(layout):
    blocks = [getattr(fastconv, name)(*small_block(name, layout)[1].values(), layout=layout) for name in SMALL_BLOCKS]
    x = small_block("Fire", layout)[0]
    for block in blocks:
        joined = block(x).shape[-1 if layout == "NHWC" else 1]
        back = normals(RNG, (1, 1, joined, 4) if layout == "NHWC" else (4, joined, 1, 1), "float32")
        layers = block, fastconv.Conv2d(back, layout=layout, activation="relu"), fastconv.MaxPool2d(2, layout=layout)
        net = fastconv.Sequential(*layers, num_threads=2)
        want = x
        for layer in layers:
            want = layer(want)
        exact = layout == "NHWC"  # in NCHW a 1×1 alone has kernels that sum in another order
        np.testing.assert_allclose(net(x), want, rtol=0 if exact else 1e-5, atol=0 if exact else 1e-5)
        nested = fastconv.Sequential(fastconv.Sequential(*layers[:2]), fastconv.Sequential(layers[2]))
        np.testing.assert_array_equal(nested(x), net(x))
        assert net.cost(x.shape).macs == block.cost(x.shape).macs + layers[1].cost(block(x).shape).macs
        assert_right(net, x)


def test_names_of_a_sequence_inside_a_sequence():
    conv = fastconv.Conv2d(normals(RNG, (1, 1, 6, 4), "float32"))
    net = fastconv.Sequential(fastconv.Sequential(FIRE, conv), FIRE)
    assert list(steps(net))[:4] == [
        "sequential1.fire1.squeeze",
        "sequential1.fire1.expand1x1",
        "sequential1.fire1.expand3x3",
        "sequential1.conv2d2",
    ]
    with pytest.raises(ValueError, match=r"^x_shape: sequential1.fire1.squeeze: weight of shape .* takes 4 channels"):
        net.describe((5, 5, 3))


def test_a_residual_network_of_blocks():
    pairs = small_block("Bottleneck")[1]
    block = fastconv.Bottleneck(*pairs.values())
    net = fastconv.Sequential(block, block, block)
    np.testing.assert_array_equal(net(X), block(block(block(X))))
    assert [name for name, kind in steps(net).items() if kind == "add"] == []


@pytest.mark.parametrize("batch", [1, 2])
def test_large_layers_have_the_bits_of_their_plans(batch):
    """With Winograd's tiles and several threads a step: GoogLeNet from its second convolution on."""
    plans = [networks.googlenet().part(name).plan() for name in ("conv2", "pool2", "3a", "3b")]
    x = normals(RNG, (batch, 20, 21, 64), "float32")
    want = x
    for plan in plans:
        want = plan(want)
    net = fastconv.Sequential(*plans, num_threads=3)
    assert net(x).tobytes() == fastconv.Sequential(*plans, num_threads=1)(x).tobytes() == want.tobytes()
    assert "winograd" in steps(net, x).values()
