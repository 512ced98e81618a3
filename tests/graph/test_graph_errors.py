"""What graphs and sequences of plans reject, and that nothing of it stays."""

import numpy as np
import pytest
from cases import normals
from graph_bounds import assert_right
from graph_cases import FIRE, ONE, RNG, THREE, X

import fastconv
from fastconv import networks, reference


@pytest.mark.parametrize(
    ("message", "error", "call"),
    [
        ("x must be a node of this graph, got str", TypeError, lambda g: g.relu("x")),
        ("conv: x must be a node of this graph, got ndarray", TypeError, lambda g: g.conv2d(X, ONE, name="conv")),
        ("y must be a node .*, got 'x' of another one", ValueError, lambda g: g.add(g.x, fastconv.Graph().x)),
        ("add: y must be .*, got int; scale takes", TypeError, lambda g: g.add(g.x, 1)),
        ("mul: y must be .*, got float64; scale takes", TypeError, lambda g: g.mul(g.x, np.float64(2.0))),
        ("residual must be a node", TypeError, lambda g: g.conv2d(g.x, ONE, residual=X)),
        ("map 2 must be a node", TypeError, lambda g: g.concat(g.x, None)),
        ("concat takes one map", TypeError, lambda g: g.concat()),
        ("c: weight must be a numpy array", TypeError, lambda g: g.conv2d(g.x, [1.0], name="c")),
        ("c: stride must be at least 1", ValueError, lambda g: g.conv2d(g.x, ONE, stride=0, name="c")),
        ("c: algorithm must be", ValueError, lambda g: g.conv2d(g.x, ONE, algorithm="fft", name="c")),
        ('c: algorithm "blas" is for 1×1', ValueError, lambda g: g.conv2d(g.x, THREE, algorithm="blas", name="c")),
        ("bias must have shape", ValueError, lambda g: g.conv2d(g.x, ONE, np.ones(3, np.float32))),
        ("p: kernel must be at least 1", ValueError, lambda g: g.max_pool2d(g.x, 0, name="p")),
        ("p: padding must be smaller", ValueError, lambda g: g.max_pool2d(g.x, 2, padding=2, name="p")),
        ("name must be a string", TypeError, lambda g: g.relu(g.x, name=3)),
        ("name must be a string", TypeError, lambda g: g.relu(g.x, name="")),
        ("name must be one of its own, got 'x'", ValueError, lambda g: g.relu(g.x, name="x")),
        ("name must be one of its own, got 'r'", ValueError, lambda g: g.relu(g.relu(g.x, name="r"), name="r")),
        ("plan must be a Conv2d", TypeError, lambda g: g.apply(fastconv.conv2d, g.x)),
        (r"plan must be .*, got Network; .* plan\(\)$", TypeError, lambda g: g.apply(networks.nin(), g.x)),
        ("plan must be .*, got the class Conv2d$", TypeError, lambda g: g.apply(fastconv.Conv2d, g.x)),
        (r"Graph\.__init__\(\) takes", TypeError, lambda g: fastconv.Graph("NCHW")),
        (
            "fire has layout NHWC, but the graph has NCHW",
            ValueError,
            lambda g: fastconv.Graph(layout="NCHW").apply(FIRE, g.x),
        ),
        ("layout must be", ValueError, lambda g: fastconv.Graph(layout="CHWN")),
        ("output 2 must be a node", TypeError, lambda g: g.plan(g.relu(g.x), X)),
        ("num_threads", ValueError, lambda g: g.plan(g.relu(g.x), num_threads=0)),
        (
            "c2 has dtype float64, but c1 has float32",
            TypeError,
            lambda g: g.conv2d(g.conv2d(g.x, ONE, name="c1"), ONE.astype(float), name="c2"),
        ),
        (
            "c2 of shape .* takes 3 channels .*, but c1 has 4",
            ValueError,
            lambda g: g.conv2d(g.relu(g.conv2d(g.x, ONE, name="c1")), ONE[:, :, :3], name="c2"),
        ),
        (
            "c2 of shape .* takes 3 channels .*, but x has 4",
            ValueError,
            lambda g: (g.conv2d(g.x, ONE), g.conv2d(g.max_pool2d(g.x, 2), ONE[:, :, :3], name="c2")),
        ),
        (
            "c of shape .* gives 3 channels, but its residual x has 4",
            ValueError,
            lambda g: g.conv2d(g.x, ONE[..., :3], residual=g.relu(g.x), name="c"),
        ),
        (
            "sum takes 4 channels, but b has 3",
            ValueError,
            lambda g: g.add(g.conv2d(g.x, ONE), g.conv2d(g.x, ONE[..., :3], name="b"), name="sum"),
        ),
        (
            "c of shape .* takes 4 channels .*, but concat has 8",
            ValueError,
            lambda g: g.conv2d(g.concat(g.conv2d(g.x, ONE), g.x), ONE, name="c"),
        ),
    ],
)
def test_what_a_graph_rejects_before_there_is_an_x(message, error, call):
    with pytest.raises(error, match=message):
        call(fastconv.Graph())


def test_a_rejected_node_leaves_the_graph_as_it_was():
    g = fastconv.Graph()
    y = g.conv2d(g.x, ONE, name="y")
    with pytest.raises(ValueError, match="takes 3 channels"):
        g.conv2d(y, ONE[:, :, :3], name="z")
    z = g.conv2d(y, THREE, padding=1, name="z")
    assert_right(g.plan(z), X)


def test_rejected_weights_and_plans_leave_the_graph_as_it_was():
    g = fastconv.Graph()
    with pytest.raises(ValueError, match="name must be"):
        g.conv2d(g.x, ONE.astype(float), name="x")
    with pytest.raises(ValueError, match="gives 3 channels"):
        g.conv2d(g.x, normals(RNG, (1, 1, 7, 3), "float32"), residual=g.relu(g.x))
    two = fastconv.Sequential(fastconv.Conv2d(ONE), fastconv.MaxPool2d(1))
    with pytest.raises(ValueError, match=r"takes 4 channels .* but wide has 5"):
        g.apply(two, g.conv2d(g.x, normals(RNG, (1, 1, 4, 5), "float32"), name="wide"), name="two")
    assert_right(g.plan(g.apply(two, g.x, name="two")), X)


@pytest.mark.parametrize(
    ("message", "make", "shape"),
    [
        ("conv: weight spans 3 pixels", lambda g: g.conv2d(g.relu(g.x), THREE, name="conv"), (2, 2, 4)),
        (
            "conv: weight of shape .* takes 4",
            lambda g: g.relu(g.max_pool2d(g.conv2d(g.x, ONE, name="conv"), 2)),
            (5, 5, 3),
        ),
        ("sum: its inputs must have the same shape", lambda g: g.add(g.x, g.max_pool2d(g.x, 2), name="sum"), (4, 4, 4)),
        (
            "all: its inputs must have the same height",
            lambda g: g.concat(g.x, g.max_pool2d(g.x, 2), name="all"),
            (4, 4, 4),
        ),
        (
            "conv: residual must have shape",
            lambda g: g.conv2d(g.relu(g.x), THREE, residual=g.x, name="conv"),
            (5, 5, 4),
        ),
        ("^x must have shape", lambda g: g.relu(g.relu(g.x)), (5, 5)),
    ],
)
def test_what_a_graph_rejects_of_an_x(message, make, shape):
    g = fastconv.Graph()
    plan = g.plan(make(g))
    x = np.ones(shape, np.float32)
    for call in (lambda: plan(x), lambda: reference.graph(plan, x)):
        with pytest.raises(ValueError, match=message):
            call()
    for method in (plan.cost, plan.describe):
        with pytest.raises(ValueError, match=r"^x_shape: " + message.removeprefix("^")):
            method(shape)


@pytest.mark.parametrize(
    ("message", "make", "shape"),
    [
        ("x of shape", lambda g: g.max_pool2d(g.x, 2, stride=2**30), (2**30, 2**30, 4)),
        ("concat: the output of shape", lambda g: g.relu(g.concat(*[g.x] * 9)), (2**20, 2**20, 8)),
    ],
)
def test_maps_that_cannot_be_addressed(message, make, shape):
    g = fastconv.Graph()
    with pytest.raises(ValueError, match=f"{message} .* would be larger than this library can address"):
        g.plan(make(g)).describe(shape)


def test_what_a_sequence_rejects():
    with pytest.raises(TypeError, match="takes one layer at least"):
        fastconv.Sequential()
    with pytest.raises(TypeError, match=r"^layer 2 must be a Conv2d, .* got function$"):
        fastconv.Sequential(FIRE, fastconv.max_pool2d)
    with pytest.raises(TypeError, match=r"^layer 1 must be .* got \[Fire, Fire\]$"):
        fastconv.Sequential([FIRE, FIRE])
    with pytest.raises(ValueError, match=r"fire2\.squeeze of shape .* takes 4 channels .*, but fire1\.concat has 6"):
        fastconv.Sequential(FIRE, FIRE)
    with pytest.raises(TypeError, match="conv2d2 has dtype float64, but fire1 has float32"):
        fastconv.Sequential(FIRE, fastconv.Conv2d(np.ones((1, 1, 6, 6))))
    with pytest.raises(ValueError, match="maxpool2d2 has layout NCHW"):
        fastconv.Sequential(FIRE, fastconv.MaxPool2d(2, layout="NCHW"))
    with pytest.raises(TypeError, match="x has dtype float64, but every weight has float32"):
        fastconv.Sequential(FIRE)(X.astype(float))


@pytest.mark.parametrize("how", [lambda g, x: g(x), lambda g, x: g.describe(x.shape), lambda g, x: g.profile(x)])
def test_a_result_that_fails_is_told_how_to_be_left_out(how):
    g = fastconv.Graph()
    first = g.relu(g.x, name="first")
    g.relu(first, name="y")
    g.max_pool2d(first, 20, name="forgotten")
    with pytest.raises(ValueError, match=r"forgotten: .*, here y, forgotten: graph\.plan\(y\) is for a node y alone$"):
        how(g, X)
    with pytest.raises(ValueError, match=r"x must have shape [^;]*$"):
        how(g, X[0, 0])


def test_a_node_that_all_results_need_is_told_as_it_is():
    g = fastconv.Graph()
    first = g.max_pool2d(g.x, 20, name="first")
    g.relu(first), g.sigmoid(first)
    with pytest.raises(ValueError, match=r"^first: [^;]*$"):
        g(X)
