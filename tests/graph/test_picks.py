"""Slices, shuffles, paddings and other sizes in graphs: the reference's values, on every layout, dtype and team."""

import itertools

import numpy as np
import pytest
from cases import normals
from compare import assert_close

import fastconv
from fastconv import reference
from fastconv._graph.operations import resizing

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
KINDS = list(itertools.product(["NHWC", "NCHW"], ["float32", "float64"]))
SLICES = slice(None), slice(1, 4), slice(None, None, -1), slice(-1, 0, -2), slice(3, 4), slice(1, None, 3)

COPIES = {
    **{f"rows {part}": (lambda g, x, part=part: g.slice(x, height=part)) for part in SLICES},
    **{f"columns {part}": (lambda g, x, part=part: g.slice(x, width=part)) for part in SLICES},
    **{f"channels {part}": (lambda g, x, part=part: g.slice(x, channels=part)) for part in SLICES},
    "slice of all": lambda g, x: g.slice(x, height=slice(1, -1), width=slice(2, 5), channels=slice(None, None, 2)),
    "depth to space": lambda g, x: g.depth_to_space(x, 2),
    "rows of depth": lambda g, x: g.depth_to_space(x, (4, 1)),
    "pixel shuffle": lambda g, x: g.depth_to_space(x, 2, order="CRD"),
    "space to depth": lambda g, x: g.space_to_depth(x, 2),
    "space to depth, CRD": lambda g, x: g.space_to_depth(x, (2, 3), order="CRD"),
    "rows to depth": lambda g, x: g.space_to_depth(x, (3, 1)),
    "pad": lambda g, x: g.pad(x, ((1, 2), (0, 3)), 0.5),
    "left pad": lambda g, x: g.pad(x, ((0, 0), (2, 0)), -0.5),
    **{mode: (lambda g, x, mode=mode: g.pad(x, ((1, 2), (3, 0)), mode=mode)) for mode in ("reflect", "edge", "wrap")},
    "twice": lambda g, x: g.resize2d(x, scale=2),
    "smaller": lambda g, x: g.resize2d(x, (4, 3)),
    "unevenly": lambda g, x: g.resize2d(x, (9, 3), coordinates="asymmetric", rounding="floor"),
    "from corner to corner": lambda g, x: g.resize2d(x, (5, 12), coordinates="align_corners"),
    "with a scale of its own": lambda g, x: g.resize2d(x, (10, 9), scale=(1.5, 1.6), rounding="round_prefer_ceil"),
}


def planes(x, layout):
    return x if layout == "NHWC" else np.ascontiguousarray(np.moveaxis(x, -1, -3))


@pytest.mark.parametrize(("layout", "dtype"), KINDS)
@pytest.mark.parametrize("name", COPIES)
def test_what_is_copied(name, layout, dtype):
    """To where the reference has it; an Inf or NaN with it."""
    for channels in (4, 12, 68):
        x = planes(normals(np.random.default_rng(0), (3, 6, 6, channels), dtype), layout)
        x[0, 2, 2, 2] = np.nan
        g = fastconv.Graph(layout=layout)
        y = COPIES[name](g, g.x)
        thrice = g.concat(g.relu(y), y, y)
        want, joined_want = (reference.graph(g.plan(node), x).astype(dtype) for node in (y, thrice))
        for num_threads in (1, 2, 3):
            plan, joined = (g.plan(node, num_threads=num_threads) for node in (y, thrice))
            np.testing.assert_array_equal(plan(x), want, strict=True)
            np.testing.assert_array_equal(plan(x[1]), want[1], strict=True)
            assert plan(x[:0]).shape == (0, *want.shape[1:])
            np.testing.assert_array_equal(joined(x), joined_want, strict=True)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("name", ["depth to space", "rows of depth", "space to depth", "nothing", "edge", "wrap"])
def test_that_copies_of_empty_maps_are_empty(name, layout, capfd):
    of_empty = {mode: (lambda g, x, mode=mode: g.pad(x, 0, mode=mode)) for mode in ("edge", "wrap")}
    make = {**COPIES, **of_empty, "nothing": lambda g, x: g.pad(x, 0)}[name]
    for size, num_threads in itertools.product([(0, 4), (4, 0), (0, 0)], [1, 2]):
        g, x = fastconv.Graph(layout=layout), planes(np.zeros((2, *size, 4), np.float32), layout)
        y = make(g, g.x)
        for plan in (g.plan(y, num_threads=num_threads), g.plan(g.concat(y, g.relu(y)), num_threads=num_threads)):
            assert plan(x).shape == reference.graph(plan, x).shape
    assert capfd.readouterr().err == ""


def test_integers_of_numpy():
    x, two = np.arange(24, dtype=np.float32).reshape(2, 2, 6), np.int64(2)
    g = fastconv.Graph()
    plan = g.plan(*g.split(g.x, (two, np.uint8(4))), g.slice(g.x, channels=slice(np.int8(-1), two, -two)))
    for got, part in zip(plan(x), (x[..., :2], x[..., 2:], x[..., -1:2:-2]), strict=True):
        np.testing.assert_array_equal(got, part)


@pytest.mark.parametrize("coordinates", resizing.COORDINATES)
@pytest.mark.parametrize("scale", [2.0**-31, 2.0**31])
def test_scales_that_lead_far_out_of_x(scale, coordinates):
    """Where there is nothing but the edge."""
    x = normals(np.random.default_rng(0), (4, 6, 8), "float32")
    for mode in ("nearest", "linear"):
        g = fastconv.Graph()
        plan = g.plan(g.resize2d(g.x, (3, 5), scale=scale, coordinates=coordinates, mode=mode))
        assert_close(plan(x), reference.graph(plan, x), reference.graph(plan, abs(x)), 6, "float32")


LINEAR = {
    "twice": {"scale": 2},
    "smaller": {"size": (4, 3)},
    "asymmetric": {"size": (7, 13), "coordinates": "asymmetric"},
    "corners": {"size": (9, 3), "coordinates": "align_corners"},
    "one": {"size": 1, "coordinates": "pytorch_half_pixel"},
    "symmetric": {"scale": (1.7, 0.6), "coordinates": "half_pixel_symmetric"},
    "the same": {"size": 6},
}


@pytest.mark.parametrize(("layout", "dtype"), KINDS)
@pytest.mark.parametrize("name", LINEAR)
def test_what_is_interpolated(name, layout, dtype):
    """Within three roundings along each axis; the same bits with any team, for any batch, in a slice of channels."""
    for channels in (1, 3, 8, 17):
        x, results = planes(normals(np.random.default_rng(0), (3, 6, 6, channels), dtype), layout), set()
        g = fastconv.Graph(layout=layout)
        y = g.resize2d(g.x, mode="linear", **LINEAR[name])
        want, magnitude = (reference.graph(g.plan(y), values) for values in (x, abs(x)))
        for num_threads in (1, 2, 3):
            plan = g.plan(y, num_threads=num_threads)
            got = plan(x)
            assert_close(got, want, magnitude, 6, dtype)
            joined = g.plan(g.concat(y, g.slice(y), y), num_threads=num_threads)(x)
            axis = -1 if layout == "NHWC" else 1
            np.testing.assert_array_equal(joined, np.concatenate([got] * 3, axis))
            results |= {got.tobytes(), b"".join(plan(image).tobytes() for image in x)}
        assert len(results) == 1


PARTED = {
    "pad": lambda g, x: g.pad(x, 1, 0.5),
    "reflect": lambda g, x: g.pad(x, ((0, 0), (2, 3)), mode="reflect"),
    "slice": lambda g, x: g.slice(x, width=slice(None, None, -1)),
    "depth to space": lambda g, x: g.depth_to_space(x, (1, 3)),
    "nearest": lambda g, x: g.resize2d(x, scale=(2, 1.3)),
    "linear": lambda g, x: g.resize2d(x, scale=(2, 1.3), mode="linear"),
}


@pytest.mark.parametrize("shape", [(2, 1, 4099, 3), (2, 2, 1500, 12), (2, 4099, 1, 3), (1, 3, 2, 9000)])
@pytest.mark.parametrize("name", PARTED)
def test_rows_that_are_made_in_parts_or_many_at_once(name, shape):
    x, results = normals(np.random.default_rng(0), shape, "float32"), set()
    if name == "reflect" and shape[2] < 4:
        pytest.skip("nothing to reflect")
    g = fastconv.Graph()
    y = PARTED[name](g, g.x)
    want, magnitude = (reference.graph(g.plan(y), values) for values in (x, abs(x)))
    for num_threads in (1, 2, 3):
        got = g.plan(y, num_threads=num_threads)(x)
        assert_close(got, want, magnitude, 6 if name == "linear" else 0, "float32")
        joined = g.plan(g.concat(y, g.slice(y), y), num_threads=num_threads)(x)
        np.testing.assert_array_equal(joined, np.concatenate([got] * 3, -1))
        results.add(got.tobytes())
    assert len(results) == 1


def test_that_infinities_are_interpolated_too():
    x = np.ones((2, 2, 3), np.float32)
    x[0, 0, 0], x[1, 1, 1] = np.inf, np.nan
    g = fastconv.Graph()
    plan = g.plan(g.resize2d(g.x, (4, 4), mode="linear"))
    np.testing.assert_array_equal(plan(x), reference.graph(plan, x).astype(np.float32))


def test_nearest_and_linear_are_those_of_known_numbers():
    x = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)[..., None]
    g = fastconv.Graph()
    plan = g.plan(g.resize2d(g.x, (3, 4)), g.resize2d(g.x, (2, 4), mode="linear", coordinates="align_corners"))
    nearest, linear = plan(x)
    assert nearest[..., 0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4]]
    np.testing.assert_allclose(linear[1, :, 0], [3, 10 / 3, 11 / 3, 4], rtol=1e-6)


def test_split():
    x = np.arange(24, dtype=np.float32).reshape(2, 2, 6)
    g = fastconv.Graph()
    parts = g.split(g.x, (1, 3, 2), name="parts")
    assert [node.name for node in parts] == ["parts.0", "parts.1", "parts.2"]
    for got, want in zip(g.plan(*parts)(x), np.split(x, (1, 4), -1), strict=True):
        np.testing.assert_array_equal(got, want)


X = np.zeros((4, 6, 8), np.float32)


@pytest.mark.parametrize(
    ("message", "error", "call"),
    [
        ("slice: height must be a slice, got int", TypeError, lambda g: g.slice(g.x, height=1)),
        ("width must be a slice of integers, got", TypeError, lambda g: g.slice(g.x, width=slice(0.5))),
        ("channels must have a step other than 0", ValueError, lambda g: g.slice(g.x, channels=slice(0, 2, 0))),
        (r"nothing is left of slice\(:, 9:, :\)", ValueError, lambda g: g.plan(g.slice(g.x, width=slice(9, None)))(X)),
        ("channels must be a slice of integers, got", TypeError, lambda g: g.slice(g.x, channels=slice(True))),
        (
            r"nothing is left of slice\(:, :, 10:20\) of 4 channels",
            ValueError,
            lambda g: g.slice(g.scale(g.x, np.ones(4, np.float32)), channels=slice(10, 20)),
        ),
        ("split: sizes must be a tuple of integers", TypeError, lambda g: g.split(g.x, 2)),
        ("each of sizes must be at least 1, got 0", ValueError, lambda g: g.split(g.x, (2, 0))),
        ("add up to 7 channels, but x has 8", ValueError, lambda g: g.plan(*g.split(g.x, (3, 4)))(X)),
        ("block must be", TypeError, lambda g: g.depth_to_space(g.x, "a")),
        ("order must be one of", ValueError, lambda g: g.depth_to_space(g.x, 2, order="RDC")),
        ("takes blocks of 9 channels, got 8", ValueError, lambda g: g.plan(g.depth_to_space(g.x, 3))(X)),
        (r"takes blocks of \(4, 4\) pixels", ValueError, lambda g: g.plan(g.space_to_depth(g.x, 4))(X)),
        ("mode must be one of", ValueError, lambda g: g.pad(g.x, 1, mode="symmetric")),
        (r"of mode 'reflect' is more than height 4", ValueError, lambda g: g.plan(g.pad(g.x, 4, mode="reflect"))(X)),
        ("resize2d: either size or scale must be given", TypeError, lambda g: g.resize2d(g.x)),
        (r"resize2d: scale must be from 2⁻³¹ to 2³¹, got -1", ValueError, lambda g: g.resize2d(g.x, scale=-1)),
        ("scale must be from 2⁻³¹ to 2³¹, got 1e.308", ValueError, lambda g: g.resize2d(g.x, scale=1e308)),
        (r"scale must be from .* got \(1, 1e-320\)", ValueError, lambda g: g.resize2d(g.x, 3, scale=(1, 1e-320))),
        ("pad: value must be left out with mode 'edge', got 5", ValueError, lambda g: g.pad(g.x, 1, 5, mode="edge")),
        ("scale must be a number or a pair", ValueError, lambda g: g.resize2d(g.x, scale=(1, 2, 3))),
        ("mode must be one of", ValueError, lambda g: g.resize2d(g.x, 2, mode="cubic")),
        ("must be at least 1, got 4, 6 and then 0, 0", ValueError, lambda g: g.plan(g.resize2d(g.x, scale=0.1))(X)),
    ],
)  # fmt: skip
def test_what_is_rejected(message, error, call):
    with pytest.raises(error, match=message):
        call(fastconv.Graph())
