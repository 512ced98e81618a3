"""Graphs against the reference: results, shapes, errors, cost, the graph that runs."""

import pickle

import numpy as np
import pytest
from cases import normals
from graph_bounds import assert_rewritten, assert_right
from graph_cases import FIRE, ONE, RNG, THREE, X, graph_cases, steps
from hypothesis import given, settings

import fastconv
from fastconv import reference
from fastconv._checks.shapes import image_shape
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.transposed import ConvTranspose
from fastconv._graph.rewrites import rewritten
from fastconv._planning import prepared_graph

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")


@given(case=graph_cases())
def test_random_graphs(case):
    assert_right(case.plan, case.x)


@given(case=graph_cases())
@settings(max_examples=40)
def test_the_bits_of_random_graphs(case):
    """The same for any number of threads, any batch, any out, turn by turn and through a pickle."""
    x, want = case.x, case.plan(case.x)
    for num_threads in (1, 2, 3):
        plan = case.with_threads(num_threads)
        assert plan(x).tobytes() == want.tobytes()
        assert plan(x, out=np.empty_like(want)).tobytes() == want.tobytes()
    if x.ndim == 4:
        assert np.concatenate([plan(image[None]) for image in x]).tobytes() == want.tobytes()
    plan = pickle.loads(pickle.dumps(plan))
    kept = prepared_graph._SCRATCH_BYTES
    prepared_graph._SCRATCH_BYTES = -1
    try:
        for _ in range(2):  # the second finds what the first has prepared
            assert plan(x, out=np.full_like(want, 5)).tobytes() == want.tobytes()
    finally:
        prepared_graph._SCRATCH_BYTES = kept


@given(case=graph_cases())
@settings(max_examples=40)
def test_shapes_and_costs_of_random_graphs(case):
    plan, x = case.plan, case.x
    shapes, cost = plan._graph.shapes(x.shape), plan.cost(x.shape)
    assert plan._graph.result_shape(*plan.outputs, shapes) == plan(x).shape
    assert plan.describe(x.shape).macs == plan._rewritten.cost(image_shape(x.shape, plan.layout), itemsize=4).macs
    convs = [node for node in plan._graph.nodes if isinstance(node.operation, Conv | ConvTranspose)]
    arrays = [array for node in convs for array in (node.operation.weight, node.operation.bias)]
    others = [node for node in plan._graph.nodes if isinstance(node.operation, Elementwise)]
    arrays += [vector for node in others for vector in node.operation.vectors]
    assert cost.params == sum(array.size for array in arrays if array is not None)
    assert cost.bytes == (x.size + plan(x).size + cost.params) * (plan.dtype or np.dtype("float32")).itemsize


@given(case=graph_cases())
@settings(max_examples=60)
def test_rewriting_keeps_the_result(case):
    graph, x = case.plan._graph, case.x
    twin = rewritten(graph)
    assert twin.layout == "NHWC"
    assert_rewritten(twin, graph, x)


def test_a_node_that_several_read():
    g = fastconv.Graph()
    y = g.conv2d(g.x, ONE, activation="relu")
    left, right = g.conv2d(y, THREE, padding=1), g.max_pool2d(y, 3, stride=1, padding=1)
    plan = g.plan(g.relu(g.add(g.add(left, right), y)))
    assert_right(plan, X)
    assert steps(plan) == {"conv2d": "direct", "max_pool2d": "max_pool2d", "conv2d2": "direct", "add2": "add"}


@pytest.mark.parametrize("join", ["concat", "add"])
def test_a_sum_and_a_convolution_that_are_read_with_and_without_their_relu(join):
    for make in (lambda g: g.conv2d(g.x, THREE, padding=1), lambda g: g.add(g.x, g.x)):
        g = fastconv.Graph()
        y = make(g)
        plan = g.plan(getattr(g, join)(g.relu(y), y))
        assert_right(plan, X)
        assert "relu" in steps(plan)


def test_a_residual_of_a_residual():
    g = fastconv.Graph()
    y = g.x
    for i in range(3):
        y = g.relu(g.add(g.conv2d(y, THREE, padding=1, name=f"conv{i}"), y))
    plan = g.plan(g.conv2d(y, ONE, residual=g.x, name="last"))
    assert_right(plan, X)
    assert list(steps(plan)) == ["conv0", "conv1", "conv2", "last"]  # every sum and ReLU in a store


def test_sums_that_no_convolution_can_take():
    g = fastconv.Graph()
    a, b = g.conv2d(g.x, ONE, activation="relu"), g.conv2d(g.x, THREE, padding=1)
    twice = g.add(b, b)
    plan = g.plan(g.add(g.add(a, g.x), twice))
    assert_right(plan, X)
    assert list(steps(plan).values()).count("add") == 3


def test_a_sum_of_two_convolutions_is_the_residual_of_the_first():
    g = fastconv.Graph()
    y = g.add(g.conv2d(g.x, THREE, padding=2, dilation=2, name="a"), g.conv2d(g.x, THREE, padding=1, name="b"))
    plan = g.plan(g.relu(y))  # whose kernels see other pixels
    assert_right(plan, X)
    assert list(steps(plan)) == ["b", "a"]


def test_a_concatenation_of_a_concatenation_moves_nothing():
    g = fastconv.Graph()
    inner = g.concat(g.conv2d(g.x, ONE), g.max_pool2d(g.x, 3, stride=1, padding=1))
    outer = g.concat(g.conv2d(g.x, THREE, padding=1), inner, g.avg_pool2d(g.x, 3, stride=1, padding=1))
    plan = g.plan(outer)
    assert_right(plan, X)
    assert plan.describe(X.shape).alive_bytes == 0
    read = g.plan(g.conv2d(outer, normals(RNG, (1, 1, 16, 3), "float32")))
    assert_right(read, X)
    assert len(steps(read)) == 5


def test_a_concatenation_copies_what_others_read_too():
    g = fastconv.Graph()
    y = g.conv2d(g.x, ONE, name="y")
    plan = g.plan(g.concat(g.x, y, g.conv2d(y, THREE, padding=1, name="z"), y))
    assert_right(plan, X)
    assert steps(plan) == {"y": "direct", "z": "direct", **{f"concat.copy{i}": "identity" for i in (0, 1, 3)}}


def test_a_name_that_a_copy_would_have():
    g = fastconv.Graph()
    y = g.relu(g.x, name="concat.copy0")
    assert_right(g.plan(g.concat(g.x, y)), X)


def test_the_input_as_the_result():
    g = fastconv.Graph()
    y = g.plan(g.x)(X)
    np.testing.assert_array_equal(y, X)
    assert not np.shares_memory(y, X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_graph_without_weights_takes_either_dtype(dtype, layout):
    g = fastconv.Graph(layout=layout)
    y = g.concat(g.relu(g.x), g.add(g.x, g.avg_pool2d(g.x, 3, stride=1, padding=1)))
    plan = pickle.loads(pickle.dumps(g.plan(g.global_avg_pool2d(y))))
    x = X.astype(dtype) if layout == "NHWC" else np.moveaxis(X, -1, 1).astype(dtype)
    got = plan(x)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, reference.graph(plan, x), rtol=1e-5, atol=1e-6)
    assert plan.dtype is None
    assert plan.cost(x.shape).bytes == 4 * (x.size + got.size)


def test_how_a_graph_looks():
    g = fastconv.Graph()
    g.add(g.relu(g.x), g.input("other"), name="sum")
    assert repr(g) == "Graph(x, relu, other, sum)"


@pytest.mark.parametrize("name", ["MaxPool2d", "AvgPool2d"])
def test_pools_as_plans(name):
    options = {"stride": 2, "padding": "same"}
    function = getattr(fastconv, f"{name[:3].lower()}_pool2d")
    plan = getattr(fastconv, name)(3, **options)
    for x in (X, X[0], X.astype(">f8")):
        np.testing.assert_array_equal(plan(x), function(x, 3, **options), strict=True)
    assert repr(plan).startswith(f"{name}(")
    np.testing.assert_array_equal(fastconv.GlobalAvgPool2d()(X), fastconv.global_avg_pool2d(X))
    np.testing.assert_array_equal(fastconv.GlobalMaxPool2d()(X), fastconv.global_max_pool2d(X))
    with pytest.raises(ValueError, match=r"^padding must be smaller than the kernel"):
        getattr(fastconv, name)(2, padding=2)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf, -0.0])
def test_special_values(special):
    x = X.copy()
    x[1, 2, 3] = special
    g = fastconv.Graph()
    plan = g.plan(g.relu(g.add(g.relu(g.x), g.max_pool2d(g.x, 1))))
    np.testing.assert_array_equal(plan(x), reference.graph(plan, x))
    np.testing.assert_array_equal(g.plan(g.concat(g.x, g.relu(g.x)))(x)[..., :4], x)


def test_a_batch_of_none_and_maps_of_nothing():
    g = fastconv.Graph()
    plan = g.plan(g.relu(g.add(g.x, g.x)))
    assert plan(X[:0]).shape == (0, 6, 7, 4)
    assert plan(X[:, :0]).shape == (3, 0, 7, 4)
    assert fastconv.Sequential(FIRE, fastconv.MaxPool2d(2))(X[:0]).shape == (0, 3, 3, 6)


def test_nodes_that_are_not_needed_are_left_out():
    g = fastconv.Graph()
    y = g.conv2d(g.x, ONE, name="y")
    g.conv2d(y, THREE, name="unused")
    plan = g.plan(g.relu(y))
    g.relu(y)
    assert steps(plan) == {"y": "direct"}
    assert plan.cost(X.shape).params == 16


def test_an_operation_that_stands_twice_has_its_weights_once():
    conv = fastconv.Conv2d(THREE, padding=1)
    net = fastconv.Sequential(conv, conv)
    assert net.cost(X.shape).params == THREE.size
    np.testing.assert_array_equal(net(X), conv(conv(X)))


def test_later_changes_of_the_weights_do_not_reach_a_graph():
    weight, bias = THREE.copy(), np.ones(4, np.float32)
    g = fastconv.Graph()
    plan = g.plan(g.conv2d(g.x, weight, bias))
    weight[...], bias[...] = np.nan, np.nan
    assert np.isfinite(plan(X)).all()


@pytest.mark.parametrize("measure", [False, True])
def test_the_description_of_a_graph(measure):
    g = fastconv.Graph()
    y = g.relu(g.add(g.max_pool2d(g.conv2d(g.x, THREE, padding=1, name="conv"), 1, name="pool"), g.x))
    description = g.plan(y).describe(X.shape, measure=measure)
    assert list(description.parts) == ["conv", "pool", "add"]
    assert description.parts["pool"].macs == 0
    assert ("GFLOP/s" in str(description)) == measure
    assert f"{description.scratch_bytes:,} bytes of scratch memory" in str(description)
    assert description.scratch_bytes >= description.alive_bytes == 2 * -(-X.nbytes // 64) * 64


def test_a_long_chain_of_nodes():
    g = fastconv.Graph()
    y = g.x
    for _ in range(3000):
        y = g.max_pool2d(y, 1)
    plan = g.plan(y)
    np.testing.assert_array_equal(plan(X), X)
    assert plan.describe(X.shape).scratch_bytes == 2 * -(-X.nbytes // 64) * 64
