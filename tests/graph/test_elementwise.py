"""Functions of each value in graphs: activations, sums, products, scales, against the reference within a bound.

With u = eps / 2: a product or a sum is off by u of its value, and a parameter was rounded before. What rests on
exponentials is off by 8 u; csrc/elementwise_tile.h derives it, and the sweeps below show how far it is true.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from cases import normals
from compare import assert_close
from graph_cases import X

import fastconv
from fastconv import reference
from fastconv._graph.operations.elementwise import FUNCTIONS

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
CHANNELS = 1, 3, 8, 16, 17, 33, 67  # on both sides of the vectors of every instruction set
MAGNITUDES = 0.0, 1e-40, 1e-30, 1.0, 3.0, 20.0, 88.5, 100.0, 3e38, np.inf
SPECIAL = [np.nan, *MAGNITUDES, *(-value for value in MAGNITUDES)]


@dataclass(frozen=True)
class Case:
    """How a node is made of (g, x, y, vectors); the bound is that number of eps of `magnitude(x, vectors, want)`."""

    node: Callable
    eps: float = 1.0
    magnitude: Callable = lambda x, vectors, want: abs(want)


def graded(x, vectors, want):
    """The value itself, and what a subnormal power is off by."""
    return abs(want) + abs(x) * 2.0**-126


CASES = {
    "clip": Case(lambda g, x, y, v: g.clip(x, -0.75, 1.5), 0),
    "relu": Case(lambda g, x, y, v: g.relu(x), 0),
    "relu6": Case(lambda g, x, y, v: g.relu6(x), 0),
    "leaky_relu": Case(lambda g, x, y, v: g.leaky_relu(x, 0.3)),
    "prelu": Case(lambda g, x, y, v: g.prelu(x, v[0])),
    "sigmoid": Case(lambda g, x, y, v: g.sigmoid(x), 4),
    "tanh": Case(lambda g, x, y, v: g.tanh(x), 4),
    "swish": Case(lambda g, x, y, v: g.swish(x), 4, graded),
    "elu": Case(lambda g, x, y, v: g.elu(x, 0.7), 4),
    "softplus": Case(lambda g, x, y, v: g.softplus(x), 5, graded),
    "mish": Case(lambda g, x, y, v: g.mish(x), 8, graded),
    "gelu_tanh": Case(lambda g, x, y, v: g.gelu_tanh(x), 6, lambda x, v, want: abs(want) * (1 + 2 * x * x) + 2.0**-100),
    "gelu": Case(lambda g, x, y, v: g.gelu(x), 6, graded),
    "erf": Case(lambda g, x, y, v: g.erf(x), 4),
    "exp": Case(lambda g, x, y, v: g.exp(x), 4),
    "log": Case(lambda g, x, y, v: g.log(x), 4),
    "sqrt": Case(lambda g, x, y, v: g.sqrt(x)),
    "abs": Case(lambda g, x, y, v: g.abs(x), 0),
    "hard_sigmoid": Case(lambda g, x, y, v: g.hard_sigmoid(x), 2, lambda x, v, want: abs(x) / 6 + 0.5),
    "hard_swish": Case(lambda g, x, y, v: g.hard_swish(x), 2),
    "add": Case(lambda g, x, y, v: g.add(x, y)),
    "mul": Case(lambda g, x, y, v: g.mul(x, y)),
    "sub": Case(lambda g, x, y, v: g.sub(x, y)),
    "div": Case(lambda g, x, y, v: g.div(y, x)),  # a maximum may be 0 of either sign
    "maximum": Case(lambda g, x, y, v: g.maximum(x, y), 0),
    "minimum": Case(lambda g, x, y, v: g.minimum(x, y), 0),
    "scale": Case(lambda g, x, y, v: g.scale(x, v[0], v[1]), 2, lambda x, v, want: abs(x * v[0]) + abs(v[1])),
    "fused": Case(lambda g, x, y, v: g.relu6(g.add(x, y))),
}


def special(shape, dtype):
    """Normal values, a fifth of them special."""
    rng = np.random.default_rng(shape[-1])
    with np.errstate(under="ignore"):
        chosen = rng.choice(SPECIAL, shape).astype(dtype)
    return np.where(rng.random(shape) < 0.2, chosen, normals(rng, shape, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("channels", CHANNELS)
def test_a_function_of_each_value(name, channels, dtype):
    """Within the bound; the same bits in any layout, with any threads, for any batch, and in a slice of channels."""
    case, x = CASES[name], special((3, 3, 5, channels), dtype)
    vectors = [normals(np.random.default_rng(i), (channels,), dtype) for i in range(2)]
    results, planes = [], np.ascontiguousarray(np.moveaxis(x, -1, 1))
    for layout, num_threads in ("NCHW", 3), ("NHWC", 1), ("NHWC", 2):
        g = fastconv.Graph(layout=layout)
        y = g.max_pool2d(g.x, 3, stride=1, padding=1)
        plan = g.plan(case.node(g, g.x, y, vectors), num_threads=num_threads)
        if layout == "NCHW":
            results.append(np.moveaxis(plan(planes), 1, -1).tobytes())
            wanted_planes = reference.graph(plan, planes)
            continue
        got = plan(x)
        joined = np.full((*x.shape[:-1], channels + 5), 7, dtype)
        plan(x, out=joined[..., 2:-3])
        np.testing.assert_array_equal(np.delete(joined, np.s_[2:-3], -1), 7)
        results += [got.tobytes(), joined[..., 2:-3].tobytes(), b"".join(plan(image).tobytes() for image in x)]
    assert len(set(results)) == 1
    want = reference.graph(plan, x)
    np.testing.assert_array_equal(np.moveaxis(wanted_planes, 1, -1), want)
    with np.errstate(over="ignore", invalid="ignore"):
        magnitude = case.magnitude(x.astype(float), [v.astype(float) for v in vectors], want)
        assert_close(got, want, magnitude, case.eps / 2, dtype)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "swish", "exp", "log", "sqrt", "erf", "gelu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sweep_through_what_exponentials_take(name, dtype):
    """All exponents, and densely where the result is neither linear nor constant; long doubles tell what is right, but
    of erf and gelu, which SciPy has in double.
    """
    limits, digits = np.finfo(dtype), np.random.default_rng(0).random(40_001)
    powers = np.linspace(limits.minexp - limits.nmant, limits.maxexp - 1, digits.size).astype(int)
    ranges = [limit * digits for limit in (2, 16, 40, 120, 760)]
    x = np.concatenate([np.ldexp(1 + digits, powers), *ranges])
    x = np.concatenate([x, -x]).astype(dtype).reshape(1, 1, -1)
    g = fastconv.Graph()
    plan = g.plan(getattr(g, name)(g.x))
    with np.errstate(all="ignore"):
        want = FUNCTIONS[name](x.astype(float if name in ("erf", "gelu") else np.longdouble))
        bound = (6 if name == "gelu" else 4) * limits.eps * abs(want) + 2 * np.clip(
            abs(x), 1, 760
        ) * limits.smallest_subnormal
        got = plan(x)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
        is_right = (got == want.astype(dtype)) | (abs(got - want) <= bound) | np.isnan(want)
    assert is_right.all(), x[~is_right]


BROADCASTS = {
    "a pixel": lambda g: g.global_max_pool2d(g.x),
    "a channel": lambda g: g.channel_pool(g.x, "max"),
    "a value": lambda g: g.channel_pool(g.global_max_pool2d(g.x), "max"),
}
IN_NUMPY = {"mul": np.multiply, "sub": np.subtract, "div": np.divide, "maximum": np.maximum, "minimum": np.minimum}


@pytest.mark.parametrize("function", IN_NUMPY)
@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("other", BROADCASTS)
def test_a_map_and_what_has_one_pixel_or_channel(other, layout, dtype, is_first, function):
    for channels, shape in [(channels, (4, 5)) for channels in CHANNELS] + [(3, (1, 4099)), (16, (523, 1))]:
        g = fastconv.Graph(layout=layout)
        order = slice(None, None, -1 if is_first else 1)
        y = getattr(g, function)(*(g.x, BROADCASTS[other](g))[order])
        x = normals(np.random.default_rng(0), (3, *shape, channels), dtype)
        axes = {"a pixel": (1, 2), "a channel": 3, "a value": (1, 2, 3)}[other]
        want = IN_NUMPY[function](*(x, x.max(axes, keepdims=True))[order])
        if layout == "NCHW":
            x, want = (np.ascontiguousarray(np.moveaxis(array, -1, 1)) for array in (x, want))
        for num_threads in (1, 2, 3):
            plan = g.plan(y, num_threads=num_threads)
            np.testing.assert_array_equal(plan(x), want)
        assert plan(x[1]).tobytes() == plan(x)[1].tobytes()


@pytest.mark.parametrize("function", IN_NUMPY)
@pytest.mark.parametrize("order", ["narrow first", "wide first", "both first"])
def test_the_readers_of_two_inputs_say_their_channels_in_any_order(order, function):
    """Of which either may have one channel, or both the same."""
    g = fastconv.Graph()
    b = g.input("b")
    narrow = g.conv2d(g.x, np.ones((1, 1, 1, 1))) if order == "narrow first" else None
    wide = g.conv2d(b, np.ones((1, 1, 64, 4))) if order == "wide first" else None
    both = getattr(g, function)(g.x, b)
    last = g.conv2d(both, np.ones((1, 1, 64, 4)))
    narrow, wide = narrow or g.conv2d(g.x, np.ones((1, 1, 1, 1))), wide or g.conv2d(b, np.ones((1, 1, 64, 4)))
    x, y = np.full((2, 3, 1), 3.0), np.full((2, 3, 64), 2.0)
    result = g.plan(last, narrow, wide)(x, y)[0]
    np.testing.assert_array_equal(result, np.broadcast_to(64 * IN_NUMPY[function](3.0, 2.0), (2, 3, 4)))


def test_a_clip_after_any_function_is_part_of_it():
    g = fastconv.Graph()
    y = g.clip(g.relu6(g.tanh(g.leaky_relu(g.x))), 0.25, 0.5)
    assert list(g.plan(y).describe(X.shape).parts) == ["leaky_relu", "tanh"]
    got = g.plan(y)(X)
    assert (got.min(), got.max()) == (0.25, 0.5)


NARROW = np.ones(3, np.float32)


@pytest.mark.parametrize(
    ("message", "error", "call"),
    [
        ("clip: low must be at most high, got 2.0 and 1.0", ValueError, lambda g: g.clip(g.x, 2, 1)),
        ("c: low must be a number, got None", TypeError, lambda g: g.clip(g.x, None, 1, name="c")),
        ("high must be a number, got nan", ValueError, lambda g: g.clip(g.x, 0, float("nan"))),
        ("leaky_relu: slope must be a finite number, got inf", ValueError, lambda g: g.leaky_relu(g.x, np.inf)),
        ("slope must be a number, got True", TypeError, lambda g: g.hard_sigmoid(g.x, slope=True)),
        ("offset must be a finite number, got 1", ValueError, lambda g: g.hard_sigmoid(g.x, offset=10**400)),
        ("prelu: slope must be a numpy array, got float", TypeError, lambda g: g.prelu(g.x, 0.1)),
        (r"p: slope must have shape \(C,\).* got \(1, 3\)", ValueError, lambda g: g.prelu(g.x, NARROW[None], name="p")),
        (r"slope must have shape \(C,\).* got \(0,\)", ValueError, lambda g: g.prelu(g.x, NARROW[:0])),
        ("y must be a node", TypeError, lambda g: g.mul(g.x, 2)),
        (
            "mul: its inputs must have one shape, or one of them height and width 1, or one channel",
            ValueError,
            lambda g: g.plan(g.mul(g.x, g.max_pool2d(g.x, 2)))(X),
        ),
        (
            "m takes 4 channels, but c has 3",
            ValueError,
            lambda g: g.mul(g.prelu(g.x, np.ones(4)), g.conv2d(g.x, np.ones((1, 1, 4, 3)), name="c"), name="m"),
        ),
    ],
)
def test_what_is_rejected_and_that_the_graph_stays_as_it_was(message, error, call):
    """Which then takes other channels and another dtype."""
    g = fastconv.Graph()
    with pytest.raises(error, match=message):
        call(g)
    g.plan(g.prelu(g.x, np.ones(4)))(np.ones((1, 1, 4)))
