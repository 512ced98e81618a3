"""Graphs of random weights, for the tests of the rewrites."""

import numpy as np
from cases import in_layout, kernel_in_layout, normals
from graph_bounds import assert_rewritten, assert_right

import fastconv

LAYOUTS, DTYPES = ["NHWC", "NCHW"], ["float32", "float64"]


class Growing(fastconv.Graph):
    """A graph with random weights, which are given by their shape (R, S, C, K)."""

    def __init__(self, layout="NHWC", dtype="float32"):
        super().__init__(layout=layout)
        self.rng, self.dtype = np.random.default_rng(0), dtype

    def weight(self, *shape):
        return normals(self.rng, kernel_in_layout(shape, self.layout), self.dtype)

    def matrix(self, c, k):
        return normals(self.rng, (c, k) if self.layout == "NHWC" else (k, c), self.dtype)

    def vector(self, n):
        return normals(self.rng, (n,), self.dtype)

    def conv(self, x, *shape, bias=True, **options):
        return self.conv2d(x, self.weight(*shape), self.vector(shape[3]) if bias else None, **options)

    def norm(self, x, n):
        return self.batch_norm(x, self.vector(n), self.vector(n) ** 2, self.vector(n), self.vector(n), epsilon=0.1)

    def average(self, x, kernel=2, **options):
        return self.avg_pool2d(x, kernel, **options)


def kinds(plan):
    """Of what runs, in that order, a convolution's functions after it."""
    return [kind for node in plan._rewritten.nodes for kind in node.operation.whole_kind.split(" + ")]


def checked(build, want, layout="NHWC", dtype="float32"):
    """The plan of what `build` makes of a graph, whose rewritten twin has nodes of the kinds `want`."""
    g = Growing(layout, dtype)
    plan = g.plan(build(g), num_threads=3)
    assert kinds(plan) == want.split()
    x = normals(np.random.default_rng(1), in_layout((2, 7, 6, 4), layout), dtype)
    assert_rewritten(plan._rewritten, plan._graph, x)
    assert_right(plan, x)
    assert list(plan.describe(x.shape).parts) == [n.name for n in plan._rewritten.nodes if n.operation.kind != "concat"]
    return plan
