"""Graphs of several inputs and results, and graphs called directly: what they give, where; what they reject."""

import copy
import pickle

import numpy as np
import pytest
from cases import normals
from compare import assert_close
from graph_bounds import magnitude, terms
from graph_cases import ONE, RNG, THREE, X, graph_cases
from hypothesis import given, settings

import fastconv
from fastconv import reference
from fastconv._checks.shapes import image_shape
from fastconv._planning import prepared_graph

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")

OTHER = normals(RNG, X.shape, "float32")


def two_by_two():
    """A plan of the inputs x and other whose second result reads the first, and one of the first alone."""
    g = fastconv.Graph()
    total = g.add(g.conv2d(g.x, THREE, padding=1, name="conv"), g.input("other"), name="total")
    return g.plan(total, g.conv2d(total, ONE, name="last")), g.plan(total)


@given(case=graph_cases(ends=3))
def test_random_graphs(case):
    plan, inputs = case.plan, case.inputs
    results, graph = plan(*inputs), plan._graph
    for y, want, bound in zip(results, reference.graph(plan, *inputs), magnitude(graph, *inputs), strict=True):
        assert_close(y, want, bound, terms(graph) + 1, y.dtype)
    shapes = [x.shape for x in inputs]
    inner = [image_shape(shape, plan.layout) for shape in shapes]
    assert plan.describe(*shapes).macs == plan._rewritten.cost(*inner, itemsize=4).macs
    values = sum(array.size for array in (*inputs, *results))
    assert plan.cost(*shapes).bytes == (values + plan.cost(*shapes).params) * (plan.dtype or np.dtype("f4")).itemsize


@given(case=graph_cases(ends=3))
@settings(max_examples=40)
def test_the_bits_of_random_graphs(case):
    """The same for any number of threads, any batch, any out, turn by turn and through a pickle."""
    plan, inputs = case.plan, case.inputs
    want = [y.tobytes() for y in plan(*inputs)]
    for num_threads in (1, 2, 3):
        assert [y.tobytes() for y in case.with_threads(num_threads)(*inputs)] == want
    out = tuple(np.empty_like(y) for y in plan(*inputs))
    if plan.layout == "NHWC":
        out = tuple(np.empty((*y.shape[:-1], y.shape[-1] + 3), y.dtype)[..., 1:-2] for y in out)
    assert plan(*inputs, out=out) is out
    assert [y.tobytes() for y in out] == want
    kept = prepared_graph._SCRATCH_BYTES
    prepared_graph._SCRATCH_BYTES = -1
    try:
        turns = pickle.loads(pickle.dumps(plan))
        assert [y.tobytes() for y in turns(*inputs)] == want
    finally:
        prepared_graph._SCRATCH_BYTES = kept


def test_a_result_that_others_read_lies_in_its_array():
    plan, first = two_by_two()
    total, last = plan(X, OTHER)
    np.testing.assert_array_equal(first(X, OTHER), total)
    np.testing.assert_array_equal(fastconv.conv2d(total, ONE), last)
    assert plan.describe(X.shape, OTHER.shape).alive_bytes == 0
    assert list(plan.describe(X.shape, OTHER.shape).parts) == ["conv", "last"]


def test_a_result_that_others_read_in_an_out_of_single_pixels():
    """Whose pixels lie side by side in an image, but not the images."""
    plan, _ = two_by_two()
    x, other = (array[:, :1, :1].copy() for array in (X, OTHER))
    joined = np.empty((3, 1, 1, 7), np.float32)
    for y, want in zip(plan(x, other, out=(joined[..., 2:6], np.empty_like(x))), plan(x, other), strict=True):
        np.testing.assert_array_equal(y, want)


def test_inputs_come_in_the_order_of_their_declaration_and_only_those_that_are_needed():
    g = fastconv.Graph()
    b, c = g.input("b"), g.input("c")
    assert g.plan(g.concat(c, b)).inputs == ("b", "c")
    assert g.plan(g.concat(c, b), g.x).inputs == ("x", "b", "c")
    y = g.plan(g.concat(c, b))(X, OTHER)
    np.testing.assert_array_equal(y, np.concatenate([OTHER, X], -1))


def test_inputs_as_results_are_copied():
    g = fastconv.Graph()
    plan = g.plan(g.x, g.input("other"))
    for array, got in zip((X, OTHER), plan(X, OTHER), strict=True):
        np.testing.assert_array_equal(got, array)
        assert not np.shares_memory(got, array)


@pytest.mark.parametrize("name", ["concat.copy0", "a+b"])
def test_an_input_of_a_name_that_a_rewrite_would_give(name):
    g = fastconv.Graph()
    convs = [g.conv2d(g.x, ONE, name=name) for name in "ab"]
    plan = g.plan(g.concat(g.x, *convs, g.input(name)))
    np.testing.assert_allclose(plan(X, OTHER), reference.graph(plan, X, OTHER), rtol=1e-5, atol=1e-5)


def test_a_graph_of_several_inputs_inside_a_graph():
    plan, _ = two_by_two()
    outer = fastconv.Graph()
    y = outer.apply(plan, outer.x, outer.relu(outer.x), name="inner")
    np.testing.assert_array_equal(outer.plan(*y)(X), plan(X, np.maximum(X, 0)))
    again = fastconv.Graph()
    y = again.apply(outer, again.x)
    np.testing.assert_array_equal(again(X), outer(X))
    assert y.name == "graph.inner.last"


def test_a_graph_called_directly():
    g = fastconv.Graph()
    y = g.relu(g.conv2d(g.x, THREE, padding=1))
    plan = g.plan()
    want = plan(X)
    assert g(X).tobytes() == want.tobytes()
    out = np.empty_like(want)
    assert g(X, out=out) is out
    assert g.cost(X.shape) == plan.cost(X.shape)
    assert g.describe(X.shape) == plan.describe(X.shape)
    assert pickle.loads(pickle.dumps(g))(X).tobytes() == want.tobytes()
    np.testing.assert_array_equal(reference.graph(g, X), reference.graph(plan, X))
    assert fastconv.Sequential(g, plan)(X).tobytes() == g(g(X)).tobytes()
    left, right = g.max_pool2d(y, 2), g.avg_pool2d(y, 2)  # what nothing reads has changed
    for got, node in zip(g(X), (left, right), strict=True):
        np.testing.assert_array_equal(got, g.plan(node)(X))


@pytest.mark.parametrize(
    ("message", "error", "call"),
    [
        (r"inputs must be \(x, other\), got 1 of them", TypeError, lambda plan: plan(X)),
        (r"inputs must be \(x, other\), got 3 of them", TypeError, lambda plan: plan(X, X, X)),
        ("^other must have as many axes and images as x, ", ValueError, lambda plan: plan(X, OTHER[:2])),
        ("^other must have as many axes and images as x, ", ValueError, lambda plan: plan(X, OTHER[0])),
        ("^other must have shape", ValueError, lambda plan: plan(X, OTHER[0, 0])),
        ("^other has dtype float64", TypeError, lambda plan: plan(X, OTHER.astype(float))),
        ("^other must be a numpy array", TypeError, lambda plan: plan(X, None)),
        ("^total: its inputs must have the same shape", ValueError, lambda plan: plan(X, OTHER[:, 1:])),
        ("^x_shape, other_shape: the inputs must be", TypeError, lambda plan: plan.cost(X.shape)),
        ("^x_shape, other_shape: other must have", ValueError, lambda plan: plan.describe(X.shape, (1, 2))),
        ("^out must be a tuple of 2 arrays, got ndarray", TypeError, lambda plan: plan(X, OTHER, out=X)),
        ("^out must be a tuple of 2 arrays, got .ndarray,", TypeError, lambda plan: plan(X, OTHER, out=(X,))),
        (r"^out\[1\] must be a numpy array", TypeError, lambda plan: plan(X, OTHER, out=(X.copy(), None))),
        (r"^out\[1\] must have shape", ValueError, lambda plan: plan(X, OTHER, out=(X.copy(), X[0]))),
        (r"^out\[0\] must not share memory with other", ValueError, lambda plan: plan(X, OTHER, out=(OTHER, X.copy()))),
        (r"^out\[1\] must not share memory with out\[0\]", ValueError, lambda plan: plan(X, OTHER, out=(SAME, SAME))),
        (
            "^layer 1 must have one input and one result, got 2 and 2",
            ValueError,
            lambda plan: fastconv.Sequential(plan),
        ),
        ("^p: the inputs must be", TypeError, lambda plan: (g := fastconv.Graph()).apply(plan, g.x, name="p")),
        ("^each result must be a node of its own", ValueError, lambda plan: (g := fastconv.Graph()).plan(g.x, g.x)),
        ("^the graph has no operation", ValueError, lambda plan: fastconv.Graph()(X)),
        ("^name must be one of its own, got 'x'", ValueError, lambda plan: fastconv.Graph().input("x")),
    ],
)
def test_what_several_inputs_and_results_reject(message, error, call):
    with pytest.raises(error, match=message):
        call(two_by_two()[0])


SAME = np.empty_like(X)


@pytest.mark.parametrize("call", [fastconv.Conv2d(THREE, padding=1), two_by_two()[1], fastconv.MaxPool2d(1)])
def test_what_is_given_by_name_alone(call):
    with pytest.raises(TypeError, match=r"positional|inputs must be"):
        call(X, OTHER, X.copy())


def test_a_graph_without_weights_takes_the_dtype_of_its_first_input():
    g = fastconv.Graph()
    plan = g.plan(g.add(g.x, g.input("other")))
    assert plan(X.astype(float), OTHER.astype(float)).dtype == float
    with pytest.raises(TypeError, match=r"^other has dtype float32, but x has float64"):
        plan(X.astype(float), OTHER)


@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_an_algorithm_of_every_convolution_that_it_suits(algorithm):
    g = fastconv.Graph()
    g.conv2d(g.conv2d(g.x, THREE, padding=1, name="a"), ONE, name="b")
    pair = normals(RNG, (1, 1, 4, 4), "float32"), None
    plans = {
        "a": g.plan(algorithm=algorithm),
        "conv2d1": fastconv.Sequential(fastconv.Conv2d(THREE, padding=1), fastconv.Conv2d(ONE), algorithm=algorithm),
        "expand3x3": fastconv.Fire(pair, pair, (THREE, None), algorithm=algorithm),
    }
    for name, plan in plans.items():
        plan = pickle.loads(pickle.dumps(plan))
        for part, told in plan.describe((9, 9, 4)).parts.items():
            assert told.algorithm == (algorithm if part == name else "direct")
    own = fastconv.Graph()
    own.conv2d(own.conv2d(own.x, THREE, algorithm="direct", name="own"), THREE)
    assert own.plan(algorithm=algorithm).describe((9, 9, 4)).parts["own"].algorithm == "direct"
    with pytest.raises(ValueError, match=r"^algorithm must be one of .*, got 'fft'"):
        g.plan(algorithm="fft")
    with pytest.raises(ValueError, match=r'^algorithm "winograd" suits no convolution'):
        g.plan(g.relu(g.x), algorithm="winograd")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_graph_grows_by_itself(copied):
    """Inputs, operations, names and what an input is known to have."""
    g = fastconv.Graph()
    g.relu(g.x, name="relu")
    want = g(X)
    other = copied(g)
    total = other.add(other.conv2d(other.x, THREE, padding=1), other.input("other"), name="relu2")
    np.testing.assert_array_equal(g(X), want)
    assert [y.shape for y in other(X, OTHER)] == [X.shape, other.plan(total)(X, OTHER).shape]
    np.testing.assert_array_equal(g.plan(g.relu(g.x, name="relu2"))(X[..., :1]), np.maximum(X[..., :1], 0))
    assert repr(g) == "Graph(x, relu, relu2)"
    assert repr(other) == "Graph(x, relu, conv2d, other, relu2)"
