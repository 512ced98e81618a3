"""The memory of graphs: where arrays lie, what a run holds, what is freed."""

import gc
import os
import textwrap
import tracemalloc
import weakref
from math import prod

import numpy as np
import pytest
from cases import normals
from graph_bounds import assert_right
from graph_cases import FIRE, ONE, RNG, X, graph_cases
from hypothesis import given
from numpy.testing import assert_equal

import fastconv
from fastconv import networks
from fastconv._checks.shapes import image_shape
from fastconv._planning import graph_plan
from fastconv._planning.memory import memory

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")


@given(case=graph_cases(nodes=24))
def test_the_arena_of_random_graphs(case):
    """It holds each array from the step that writes it to the last that reads it, in 1.5 times the least at most."""
    graph = case.plan._rewritten
    placed = memory(graph, graph.shapes(image_shape(case.x.shape, case.plan.layout)), 4)
    assert placed.alive_bytes <= placed.nbytes <= 1.5 * placed.alive_bytes


NETWORKS = {
    "squeezenet": networks.squeezenet("1.1"),
    "googlenet": networks.googlenet(),
    "resnet": networks.resnet(50),
    "nin": networks.nin(),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_what_a_run_of_a_network_holds(name):
    """At most 1.5 times the largest set of arrays alive at once, workspaces included; far less than all arrays."""
    network = NETWORKS[name]
    plan = network.plan({key: np.zeros(shape, np.float32) for key, shape in network.weight_shapes.items()})
    graph = plan._rewritten
    for threads in (1, 2):
        two = graph_plan.GraphPlan(plan._graph, threads)
        for batch in (1, 3):
            description = two.describe((batch, *network.input_shape))
            assert description.alive_bytes <= description.array_bytes
            assert description.scratch_bytes <= 1.5 * description.alive_bytes
        assert max(part.workspace_bytes for part in description.parts.values()) > 0
    shapes = graph.shapes((1, *network.input_shape))
    placed = memory(graph, shapes, 4)
    assert placed.nbytes <= 1.1 * placed.alive_bytes
    assert placed.nbytes < sum(4 * np.prod(shape) for shape in shapes.values()) / 3


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="reads /proc")
def test_the_resident_memory_of_a_network_that_runs(run_python):
    """Weights as given and as packed, what the description tells, at most 1.5 times the largest set of arrays alive at
    once, and 5 MB for what else a process takes meanwhile, such as code that is read for the first time.
    """
    code = """
        import gc, numpy as np
        from fastconv import networks

        def resident(name):
            return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) << 10

        x = np.ones((4, 224, 224, 3), np.float32)
        networks.nin("cifar10").plan(num_threads=2)(x[:, :32, :32])  # what the first call of a process needs
        net = networks.resnet(18)
        before = resident("VmRSS")
        weights = {name: np.zeros(shape, np.float32) for name, shape in net.weight_shapes.items()}
        plan = net.plan(weights, num_threads=2)
        del weights
        gc.collect()
        plan(x)
        open("/proc/self/clear_refs", "w").write("5")  # from here on VmHWM is the peak of the second run
        plan(x)
        held = resident("VmHWM") - before
        told = plan.describe(x.shape)
        given = sum(4 * np.prod(shape) for shape in net.weight_shapes.values())
        weights = given + sum(part.packed_bytes for part in told.parts.values())
        print(held, weights, told.scratch_bytes, told.alive_bytes)
    """
    held, weights, scratch, alive = map(int, run_python("-c", textwrap.dedent(code)).split())
    assert scratch <= 1.5 * alive
    assert held <= weights + scratch + 5_000_000


def test_a_run_allocates_what_its_description_says():
    plan = fastconv.Sequential(FIRE, fastconv.MaxPool2d(2), num_threads=1)
    x = normals(RNG, (1, 100, 100, 4), "float32")
    want, held = plan(x), plan.describe(x.shape).scratch_bytes
    fastconv.release()
    tracemalloc.start()
    try:
        plan(x, out=want)
        assert held <= tracemalloc.get_traced_memory()[1] <= held + 20_000
    finally:
        tracemalloc.stop()


def test_a_dropped_graph_is_freed_at_once():
    net = fastconv.Sequential(FIRE, fastconv.MaxPool2d(2))
    net(X)
    gone = weakref.ref(net._convs["fire1.squeeze"])
    gc.disable()
    try:
        del net
        assert gone() is None
    finally:
        gc.enable()


def test_functions_of_each_value_overwrite_what_nothing_else_reads():
    g = fastconv.Graph()
    a = g.max_pool2d(g.x, 3, stride=1, padding=1, name="a")
    b = g.swish(a, name="b")
    c = g.add(g.sigmoid(b, name="c0"), b, name="c")
    plan = g.plan(g.conv2d(g.mul(c, g.sigmoid(g.x, name="d0"), name="d"), ONE))
    assert_right(plan, X)
    graph = plan._rewritten
    slices = memory(graph, graph.shapes(X.shape), 4).slices
    assert slices["a"] == slices["b"]  # which is read twice
    assert slices["c0"] == slices["c"] == slices["d"] != slices["b"]
    assert slices["d0"] != slices["d"]


def residual_blocks(algorithm):
    """Two in a row, on 24 channels: the graph, and the result of each."""
    first, *others = (normals(RNG, (3, 3, channels, 24), "float32") for channels in (4, 24, 24, 24, 24))
    g = fastconv.Graph()
    y, results = g.conv2d(g.x, first, padding=1, name="y0"), []
    for i, (a, b) in enumerate([others[:2], others[2:]]):
        inner = g.relu(g.conv2d(y, a, padding=1, algorithm=algorithm), name=f"inner{i + 1}")
        y = g.relu(g.add(g.conv2d(inner, b, padding=1, algorithm=algorithm, name=f"y{i + 1}"), y))
        results.append(y)
    return g, *results


@pytest.mark.parametrize(("algorithm", "arrays"), [("direct", 2), ("winograd", 3)])
def test_a_sum_overwrites_the_residual_that_is_read_no_more(algorithm, arrays):
    """But for Winograd, which may compute a value twice."""
    g, _, y = residual_blocks(algorithm)
    plan = g.plan(g.max_pool2d(y, 2))
    assert_right(plan, X)
    assert plan.describe(X.shape).array_bytes == arrays * 4 * prod(X.shape[:3]) * 24


def test_a_residual_that_is_read_later_is_kept():
    g, y1, y2 = residual_blocks("direct")
    plan = g.plan(g.max_pool2d(y2, 2), g.max_pool2d(y1, 2))
    for y, want in zip(plan(X), g.plan(y2, y1, algorithm="direct")(X), strict=True):
        assert_equal(y, fastconv.max_pool2d(want, 2))
    graph = plan._rewritten
    slices = memory(graph, graph.shapes(X.shape), 4, overwriting={"y1", "y2"}).slices
    assert slices["y0"] == slices["y1"] != slices["y2"]


def test_workspaces_are_told_apart_from_the_arrays():
    """Beside the arrays of tiny maps they are large: a thread's does not shrink with the map."""
    conv = fastconv.Conv2d(np.ones((3, 3, 8, 8), np.float32), padding=1)
    description = fastconv.Sequential(conv, conv, conv, num_threads=1).describe((14, 14, 8))
    assert description.array_bytes == description.alive_bytes == 2 * 4 * 14 * 14 * 8
    assert description.workspace_bytes > 0
    assert f"{description.workspace_bytes:,} of workspaces" in str(description)
