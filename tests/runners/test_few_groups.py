"""Small groups of fewer channels than a vector has: they have the bits of the first channels of a wide layer."""

import numpy as np
import pytest
from cases import normals

import fastconv

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
WIDE = 32  # channels that fill a vector of every instruction set
GEOMETRIES = [
    ((3, 3), {"padding": 1}),
    ((3, 3), {"padding": 1, "stride": 2}),
    ((5, 5), {"padding": ((4, 1), (0, 7)), "stride": (1, 2)}),
    ((3, 2), {"dilation": (1, 2)}),
    ((1, 1), {"stride": 3, "padding": 2}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kernel", "options"), GEOMETRIES)
@pytest.mark.parametrize(("width", "few"), [*((1, few) for few in range(2, 16)), (4, 8), (4, 12)])
def test_the_bits_of_a_wide_layer(width, few, kernel, options, dtype):
    rng = np.random.default_rng(few)
    x, weight, bias, slopes = (
        normals(rng, shape, dtype) for shape in ((2, 6, 23, WIDE), (*kernel, width, WIDE), (WIDE,), (WIDE,))
    )

    def arrays(channels):
        return x[..., :channels].copy(), weight[..., :channels].copy(), bias[:channels].copy()

    def options_for(channels):
        return {**options, "groups": channels // width, "algorithm": "direct"}

    def sloped(channels):
        g, (given, *layer) = fastconv.Graph(), arrays(channels)
        return g.plan(g.prelu(g.conv2d(g.x, *layer, **options_for(channels)), slopes[:channels].copy()))(given)

    want = fastconv.conv2d(*arrays(WIDE), **options_for(WIDE))
    residual = normals(rng, want.shape, dtype)
    clipped = fastconv.conv2d(*arrays(WIDE), **options_for(WIDE), residual=residual, activation="relu6")
    for num_threads in (1, 2):
        layer = {**options_for(few), "num_threads": num_threads}
        joined = np.full((*want.shape[:3], few + 3), 7, dtype)
        fastconv.conv2d(*arrays(few), **layer, out=joined[..., 1:-2])
        assert joined[..., 1:-2].tobytes() == want[..., :few].tobytes()
        assert (joined[..., [0, -2, -1]] == 7).all(), "a neighbour was overwritten"
        assert fastconv.conv2d(*arrays(few), **layer).tobytes() == want[..., :few].tobytes()
        added = fastconv.conv2d(*arrays(few), **layer, residual=residual[..., :few].copy(), activation="relu6")
        assert added.tobytes() == clipped[..., :few].tobytes()
    assert sloped(few).tobytes() == sloped(WIDE)[..., :few].tobytes()
