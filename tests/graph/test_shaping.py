"""Vectors, products with matrices, paddings, and what does nothing: on every layout, dtype and team."""

import itertools

import naive
import numpy as np
import pytest
from cases import in_layout, integers, normals
from graph_cases import ONE, RNG, X

import fastconv
from fastconv import reference
from fastconv._checks.shapes import conv_geometry
from fastconv._graph.operations.shaping import Concat

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
KINDS = list(itertools.product(["NHWC", "NCHW"], ["float32", "float64"], [1, 2, 3]))


def parts(plan, x=X):
    return list(plan.describe(x.shape).parts)


@pytest.mark.parametrize(("layout", "dtype", "num_threads"), KINDS)
@pytest.mark.parametrize(("channels", "out_channels"), [(1, 1), (3, 8), (40, 17), (33, 64), (530, 33), (7, 150)])
def test_linear(channels, out_channels, layout, dtype, num_threads):
    matrix, bias = integers(RNG, (channels, out_channels), dtype), integers(RNG, (out_channels,), dtype)
    g = fastconv.Graph(layout=layout)
    weight = matrix if layout == "NHWC" else np.ascontiguousarray(matrix.T)
    plan = g.plan(g.linear(g.flatten(g.x), weight, bias, activation="relu"), num_threads=num_threads)
    for batch in (0, 1, 2, 5, 40):
        x = integers(RNG, in_layout((batch, 1, 1, channels), layout), dtype)
        want = np.maximum(x.reshape(batch, channels) @ matrix + bias, 0)
        np.testing.assert_array_equal(plan(x), want, strict=True)
        joined = np.full((batch, out_channels + 5), 7, dtype)
        plan(x, out=(joined[:, 2:-3] if layout == "NHWC" else joined.reshape(-1)[: want.size].reshape(want.shape)))
        if layout == "NHWC":
            np.testing.assert_array_equal(joined[:, 2:-3], want)
            np.testing.assert_array_equal(np.delete(joined, np.s_[2:-3], -1), 7)
    np.testing.assert_array_equal(plan(x[0]), want[0], strict=True)


@pytest.mark.parametrize(("layout", "dtype", "num_threads"), KINDS)
def test_the_bits_of_a_batch_of_vectors_are_those_of_each(layout, dtype, num_threads):
    g = fastconv.Graph(layout=layout)
    y = g.x
    for channels, out_channels in ((70, 41), (41, 3), (3, 16), (16, 1)):
        y = g.linear(
            y,
            normals(RNG, in_layout((1, 1, channels, out_channels), "NHWC")[2:], dtype).reshape(
                (channels, out_channels) if layout == "NHWC" else (out_channels, channels)
            ),
        )
    plan, x = g.plan(g.flatten(y), num_threads=num_threads), normals(RNG, in_layout((35, 1, 1, 70), layout), dtype)
    want = g.plan(g.flatten(y), num_threads=1)(x)
    assert plan(x).tobytes() == want.tobytes() == np.stack([plan(image) for image in x]).tobytes()


def test_a_batch_of_vectors_reads_the_weights_once():
    shape = conv_geometry((1, 1, 8, 5)).at((6, 1, 1, 8)).merged
    assert (shape.batch, shape.width, shape.out_width, shape.macs) == (1, 6, 6, 240)
    for weight, x_shape in (((1, 1, 8, 5), (6, 1, 2, 8)), ((3, 3, 8, 5), (6, 1, 1, 8))):
        shape = conv_geometry(weight, padding=weight[0] // 2).at(x_shape)
        assert shape.merged is shape


def test_a_map_of_one_pixel_into_a_slice_of_channels():
    x, joined = X[:, :1, :1], np.full((3, 1, 1, 12), 7, np.float32)
    plan = fastconv.Conv2d(ONE)
    plan(x, out=joined[..., 3:7])
    np.testing.assert_array_equal(joined[..., 3:7], plan(x))
    np.testing.assert_array_equal(np.delete(joined, np.s_[3:7], -1), 7)


@pytest.mark.parametrize(("layout", "dtype", "num_threads"), KINDS)
@pytest.mark.parametrize("axis", ["rows", "pixels"])
def test_rows_and_pixels_side_by_side(axis, layout, dtype, num_threads):
    """Of convolutions, vectors, inputs and other concatenations, within a graph and as a result."""
    weight = integers(RNG, (6, 6), dtype)
    g = fastconv.Graph(layout=layout)
    conv = g.conv2d(g.x, weight.reshape((1, 1, 6, 6) if layout == "NHWC" else (6, 6, 1, 1)))
    pixel = g.relu(g.global_avg_pool2d(conv))
    vector = g.linear(g.flatten(pixel), weight)
    both = g.concat(g.slice(conv, channels=slice(2)), g.slice(g.relu(g.x), channels=slice(4)))

    def join(*maps):
        return g._add(None, Concat(axis), **{f"map {i}": one for i, one in enumerate(maps)})

    y = join(conv, vector, both, g.x, join(vector, pixel, pixel))
    plan = g.plan(y, g.concat(y, g.relu(y), join(g.relu(y))), num_threads=num_threads)
    x = integers(RNG, in_layout((3, 4, 1, 6), layout), dtype)
    for got, want in zip(plan(x), reference.graph(plan, x), strict=True):
        np.testing.assert_array_equal(got, want)
    with pytest.raises(ValueError, match="takes 6 channels, but linear2 has 5"):
        join(conv, g.linear(g.flatten(pixel), weight[:, :5] if layout == "NHWC" else weight[:5]))
    if axis == "rows":
        with pytest.raises(ValueError, match="its inputs must have the same width"):
            g.plan(join(conv, g.resize2d(conv, (4, 2))))(x)


@pytest.mark.parametrize(("layout", "dtype", "num_threads"), KINDS)
@pytest.mark.parametrize("size", [(1, 1, 3), (2, 3, 1), (3, 5, 67), (6, 6, 130)])
def test_flatten(size, layout, dtype, num_threads):
    g = fastconv.Graph(layout=layout)
    flat = g.flatten(g.max_pool2d(g.x, 1))
    for y, again in ((flat, False), (g.concat(g.relu(flat), flat, flat), True), (g.relu(g.flatten(flat)), False)):
        plan = g.plan(y, num_threads=num_threads)
        for batch in ((), (1,), (3,), (0,)):
            x = integers(RNG, in_layout((*batch, *size), layout), dtype)
            want = x.reshape(*batch, x[..., :, :, :].size // max(1, int(np.prod(batch)))) if x.size else None
            if want is None:
                assert plan(x).shape == (0, np.prod(size) * (3 if again else 1))
                continue
            if again:
                want = np.concatenate([np.maximum(want, 0), want, want], -1)
            elif y is not flat:
                want = np.maximum(want, 0)
            np.testing.assert_array_equal(plan(x), want, strict=True)


def test_vectors_in_the_order_of_nhwc_are_not_copied():
    g = fastconv.Graph()
    pooled = g.max_pool2d(g.x, 2, name="pool")
    y = g.linear(g.flatten(pooled, name="flat"), normals(RNG, (36, 5), "float32"), name="fc")
    assert parts(g.plan(y)) == ["pool", "fc"]
    assert g.plan(y).describe(X.shape).scratch_bytes == 3 * 36 * 4 + 16  # the pool's, in whole cache lines
    assert parts(g.plan(g.concat(g.flatten(pooled), y))) == ["pool", "fc", "flatten"]
    assert parts(g.plan(g.flatten(g.x, name="copy"))) == ["copy"]


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_what_reads_a_vector_and_a_map_gives_a_map(layout):
    g, x = fastconv.Graph(layout=layout), in_layout((5, 7, 4), layout)
    v = g.flatten(g.global_max_pool2d(g.x))
    assert [y.shape for y in g.plan(g.mul(v, g.x), g.mul(g.x, v), g.mul(v, v))(np.ones(x, np.float32))] == [x, x, (4,)]


@pytest.mark.parametrize(("layout", "dtype", "num_threads"), KINDS)
def test_pad(layout, dtype, num_threads):
    for value, channels in itertools.product((0, 1.1, -np.inf, np.nan), (1, 5, 67)):
        for sides in (0, (1, 2), ((0, 3), (2, 0)), ((2, 1), (1, 4))):
            g = fastconv.Graph(layout=layout)
            plan = g.plan(g.pad(g.x, sides, value), num_threads=num_threads)
            x = normals(RNG, in_layout((2, 3, 4, channels), layout), dtype)
            rows, columns = (naive.pairwise(side) for side in naive.pairwise(sides))
            axes = ((0, 0), rows, columns, (0, 0)) if layout == "NHWC" else ((0, 0), (0, 0), rows, columns)
            want = np.pad(x, axes, constant_values=np.array(value, dtype))
            np.testing.assert_array_equal(plan(x), want, strict=True)
            np.testing.assert_array_equal(plan(x[1]), want[1], strict=True)
            if layout == "NHWC":
                joined = np.full((*want.shape[:3], channels + 5), 7, dtype)
                plan(x, out=joined[..., 2:-3])
                np.testing.assert_array_equal(joined[..., 2:-3], want)
                np.testing.assert_array_equal(np.delete(joined, np.s_[2:-3], -1), 7)


def test_a_map_of_nothing_is_padded():
    g = fastconv.Graph()
    np.testing.assert_array_equal(g.plan(g.pad(g.x, 1, 4.0))(X[:, :0, :0]), np.full((3, 2, 2, 4), 4, np.float32))


def test_a_value_larger_than_any_is_infinite():
    g = fastconv.Graph()
    np.testing.assert_array_equal(g.plan(g.pad(g.x, 1, -(10**400)))(X[:, :0, :0]), np.full((3, 2, 2, 4), -np.inf, "f4"))


def test_identities_and_dropouts_are_dropped():
    g = fastconv.Graph()
    y = g.dropout(g.relu(g.identity(g.conv2d(g.dropout(g.x), ONE, name="conv"))))
    plan = g.plan(g.concat(g.identity(y), g.dropout(g.max_pool2d(y, 1, name="pool")), name="joined"))
    assert parts(plan) == ["conv", "pool", "joined.copy0"]
    np.testing.assert_allclose(plan(X), reference.graph(plan, X), rtol=1e-5, atol=1e-6)
    assert parts(g.plan(y)) == ["conv"]


@pytest.mark.parametrize("nothing", ["identity", "dropout"])
def test_a_graph_of_identities_copies(nothing):
    g = fastconv.Graph()
    y = getattr(g, nothing)(g.dropout(g.x), name="y")
    plan = g.plan(y)
    assert parts(plan) == ["y"]
    got = plan(X)
    np.testing.assert_array_equal(got, X)
    assert not np.shares_memory(got, X)


@pytest.mark.parametrize(
    ("message", "error", "call"),
    [
        ("fc: weight must have shape .C, K.", ValueError, lambda g: g.linear(g.x, ONE, name="fc")),
        ("fc: weight must have no empty", ValueError, lambda g: g.linear(g.x, ONE[0, 0, :, :0], name="fc")),
        ("linear: weight must be a numpy array", TypeError, lambda g: g.linear(g.x, None)),
        ("bias must have shape .4,., a value .* of weight .4, 4.", ValueError, lambda g: g.linear(g.x, ONE[0, 0], ONE)),
        ("activation", ValueError, lambda g: g.linear(g.x, ONE[0, 0], activation="up")),
        (
            "fc of shape .5, 4. takes 5 .*, but c has 4",
            ValueError,
            lambda g: g.linear(g.conv2d(g.x, ONE, name="c"), np.ones((5, 4), np.float32), name="fc"),
        ),
        (
            "fc has dtype float64, but c",
            TypeError,
            lambda g: g.linear(g.conv2d(g.x, ONE, name="c"), ONE[0, 0].astype(float), name="fc"),
        ),
        ("p: padding must be at least 0", ValueError, lambda g: g.pad(g.x, -1, name="p")),
        ("pad: padding must be an integer", TypeError, lambda g: g.pad(g.x, "same")),
        ("pad: padding must be", TypeError, lambda g: g.pad(g.x, 1.5)),
        ("pad: value must be", TypeError, lambda g: g.pad(g.x, 1, "0")),
        ("pad: value must be", TypeError, lambda g: g.pad(g.x, 1, True)),
    ],
)
def test_what_is_rejected(message, error, call):
    with pytest.raises(error, match=message):
        call(fastconv.Graph())


@pytest.mark.parametrize(
    ("message", "make"),
    [
        (
            "fc: weight of shape .167, 2. takes 167 channels .*, but x has 168",
            lambda g: g.linear(g.flatten(g.x), np.ones((167, 2), np.float32), name="fc"),
        ),
        ("p: the output of shape .* larger than", lambda g: g.relu(g.pad(g.x, 2**24, name="p"))),
    ],
)
def test_what_is_rejected_of_an_x(message, make):
    g = fastconv.Graph()
    with pytest.raises(ValueError, match=message):
        g.plan(make(g))(X)
