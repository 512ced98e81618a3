"""A convolution with several filters for each channel is depthwise ones, whose results stand in turns."""

import pytest
from growing import DTYPES, LAYOUTS, checked

SEVERAL = {
    "two": (2, lambda g: g.conv(g.conv(g.x, 1, 1, 4, 20), 3, 3, 1, 40, groups=20, padding=1)),
    "three, a stride": (3, lambda g: g.conv(g.conv(g.x, 1, 1, 4, 16), 2, 2, 1, 48, groups=16, stride=2)),
    "six": (6, lambda g: g.conv(g.conv(g.x, 1, 1, 4, 16), 3, 3, 1, 6 * 16, groups=16)),
    "no bias": (2, lambda g: g.conv(g.conv(g.x, 1, 1, 4, 17), 3, 3, 1, 34, groups=17, bias=False)),
    "an activation": (2, lambda g: g.relu6(g.conv(g.conv(g.x, 1, 1, 4, 16), 3, 3, 1, 32, groups=16))),
    "a norm": (2, lambda g: g.relu(g.norm(g.conv(g.conv(g.x, 1, 1, 4, 16), 3, 3, 1, 32, groups=16), 32))),
    "slopes": (2, lambda g: g.prelu(g.conv(g.conv(g.x, 1, 1, 4, 16), 3, 3, 1, 32, groups=16), g.vector(32))),
}
FUNCTIONS = "conv2d conv2d hard_swish batch_norm conv2d hard_swish batch_norm concat in_turns"
KEPT = {
    "few channels": lambda g: g.conv(g.x, 3, 3, 1, 32, groups=4),
    "a pixel": lambda g: g.conv(g.conv(g.x, 1, 1, 4, 16), 1, 1, 1, 32, groups=16),
    "many filters": lambda g: g.conv(g.conv(g.x, 1, 1, 4, 16), 3, 3, 1, 7 * 16, groups=16),
    "groups of two": lambda g: g.conv(g.conv(g.x, 1, 1, 4, 32), 3, 3, 2, 64, groups=16),
    "an algorithm": lambda g: g.conv(g.conv(g.x, 1, 1, 4, 16), 3, 3, 1, 32, groups=16, algorithm="direct"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SEVERAL)
def test_several_filters(name, dtype, layout):
    times, build = SEVERAL[name]
    checked(build, " ".join(["conv2d", *["conv2d"] * times, "concat", "in_turns"]), layout, dtype)


def test_functions_of_channels():
    """Each part has the vectors of its own channels."""

    def build(g):
        y = g.hard_swish(g.conv(g.conv(g.x, 1, 1, 4, 16), 3, 3, 1, 32, groups=16))
        return g.norm(y, 32)

    checked(build, FUNCTIONS)


@pytest.mark.parametrize("name", KEPT)
def test_others_stay(name):
    checked(KEPT[name], "conv2d" if name == "few channels" else "conv2d conv2d")


def test_a_residual_stays():
    def build(g):
        x = g.conv(g.x, 1, 1, 4, 32)
        return g.conv(g.conv(g.x, 1, 1, 4, 16), 3, 3, 1, 32, groups=16, padding=1, residual=x)

    checked(build, "conv2d conv2d conv2d")
