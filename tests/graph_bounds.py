"""How far what a graph runs may be from its reference, by the sizes of what its nodes sum."""

from dataclasses import dataclass, replace

import numpy as np
from compare import assert_close

from fastconv import reference
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.normalization import Scale
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.picks import Pad
from fastconv._graph.operations.transposed import ConvTranspose


@dataclass(frozen=True)
class _Magnitude(Operation):
    """f(x), for x of absolute values."""

    f: object

    def reference(self, layout, *arrays):
        return self.f(*arrays)


# Of functions, |f(x)| at most and what an error of x becomes: f' is at most 1 (sigmoids: and f at most 1), 1.1 and 1.5.
MAGNITUDES = {
    "leaky_relu": abs,
    "prelu": abs,
    "tanh": abs,
    "sigmoid": lambda x: x + 1,
    "hard_sigmoid": lambda x: x + 1,
    "swish": lambda x: 1.1 * x,
    "elu": abs,
    "softplus": lambda x: x + 1,
    "mish": lambda x: 1.1 * x,
    "gelu_tanh": lambda x: 1.2 * x,
    "gelu": lambda x: 1.2 * x,
    "erf": lambda x: 1.2 * x,
    "abs": abs,
    "hard_swish": lambda x: 1.5 * x,
    "softmax": lambda x: np.full_like(x, 1 + 2 * x.max()),
    "log_softmax": lambda x: np.full_like(x, 10 + 2 * x.max()),
    "local_response_norm": lambda x: x * (1 + 2e-4 * x.max() ** 2),
}


def magnitude(graph, *inputs):
    """What the graph gives for the absolute values of its inputs and of all weights and biases, without bounds.

    Bounds with 0 between them add nothing to an error, and only take from a value.
    """

    def absolute(operation):
        if isinstance(operation, Pad):
            return operation.changed(value=abs(operation.value))
        if operation.activation is not None:
            operation = operation.changed(activation=None)
        if operation.kind in MAGNITUDES:
            return _Magnitude(MAGNITUDES[operation.kind])
        if isinstance(operation, Scale):
            return Scale(*map(np.abs, operation.vectors))
        if not isinstance(operation, Conv | ConvTranspose):
            return operation
        bias = None if operation.bias is None else np.abs(operation.bias)
        return operation.changed(weight=np.abs(operation.weight), bias=bias)

    nodes = tuple(replace(node, operation=absolute(node.operation)) for node in graph.nodes)
    return replace(graph, nodes=nodes).reference(*map(np.abs, inputs))


def terms(graph):
    """Values that the nodes sum, all together: those of every path, as in `compare.assert_block`.

    A product has the errors of both of its factors, which a node before them may share.
    """
    return sum(_terms(node) for node in graph.nodes) * 2 ** sum(node.operation.kind == "mul" for node in graph.nodes)


def _terms(node):
    operation = node.operation
    if isinstance(operation, Conv | ConvTranspose):
        return operation.weight[..., 0].size + (operation.bias is not None) + len(node.inputs) - 1
    terms = {"avg_pool2d": 9 + 1, "resize2d": 6, "softmax": 200, "log_softmax": 200, "local_response_norm": 8}
    return terms.get(operation.kind, 2 if isinstance(operation, Elementwise) else 0)


def assert_rewritten(twin, graph, x):
    """Assert that a graph is another one rewritten, but for weights that were rounded once.

    Those of a node are off by a share u = eps / 2 each, and n nodes one after the other by n·u / (1 − n·u).
    """
    nhwc = x if graph.layout == "NHWC" else np.ascontiguousarray(np.moveaxis(x, -3, -1))
    got, want = twin.reference(nhwc), graph.reference(x)
    got = got if graph.layout == "NHWC" or got.ndim < 3 else np.moveaxis(got, -1, -3)
    share = len(graph.nodes) * np.finfo(x.dtype).eps + 2 * terms(graph) * np.finfo(float).eps
    np.testing.assert_array_less(np.abs(got - want), share * magnitude(graph, x) + np.finfo(x.dtype).tiny)


def assert_right(plan, x):
    """Assert that the plan gives what its graph does, within the bound, into a slice of channels too."""
    graph, y = plan._graph, plan(x)
    assert_close(y, reference.graph(plan, x), magnitude(graph, x), terms(graph) + 1, x.dtype)
    if plan.layout == "NHWC":
        joined = np.full((*y.shape[:-1], y.shape[-1] + 5), 7, y.dtype)
        plan(x, out=joined[..., 2:-3])
        np.testing.assert_array_equal(joined[..., 2:-3], y)
        np.testing.assert_array_equal(np.delete(joined, np.s_[2:-3], -1), 7)
    return y
