"""What the published networks give: against float64, and the same bits whatever the batch and the threads."""

import numpy as np
import pytest

from fastconv import networks
from fastconv._graph.graph import INPUT

CASES = {  # network: its pixels a side, or fewer where its layers allow that
    "alexnet": (networks.alexnet(), 227),
    "googlenet": (networks.googlenet(), 224),
    "nin cifar10": (networks.nin("cifar10"), 32),
    "nin imagenet": (networks.nin(), 99),
    "squeezenet 1.0": (networks.squeezenet(), 227),
    "squeezenet 1.1": (networks.squeezenet("1.1"), 64),
    "resnet 18": (networks.resnet(18), 64),
    "resnet 50": (networks.resnet(50), 64),
    "resnet 50 v1": (networks.resnet(50, stride_in="reduce"), 65),
}
EXACT = "concat", "dropout", "flatten", "max_pool2d", "relu"


@pytest.mark.parametrize("name", CASES)
def test_results(name):
    """In float64, where any other layer stands out from rounding after so many, and in float32; batches and threads."""
    network, size = CASES[name]
    weights = network.random_weights()
    x = np.random.default_rng(0).standard_normal((2, size, size, 3), np.float32)
    graph = network.plan(weights)._graph
    want, errors = with_errors(graph, x.astype(float))
    assert want.max() < 0.5  # no score is all that is left
    for dtype in np.float32, np.float64:
        given = {name: array.astype(dtype) for name, array in weights.items()}
        one, two = (network.plan(given, num_threads=n) for n in (1, 2))
        scores = one(x.astype(dtype))
        away = np.abs(run(graph, x.astype(float), errors, np.finfo(dtype).eps) - want).max()
        print(name, dtype, np.abs(scores - want).max(), away)
        assert np.abs(scores - want).max() <= away
        np.testing.assert_array_equal(two(x.astype(dtype)), scores)
        np.testing.assert_array_equal(two(x[1].astype(dtype)), scores[1])


def with_errors(graph, x):
    """The result for x in float64, and {node: a bound of its rounding errors, in units of eps}.

    The bounds are those of `compare`: 2·terms·magnitude.
    """
    values, errors = {INPUT: x}, {}
    for node in graph.nodes:
        operation, inputs = node.operation, [values[name] for name in node.inputs]
        values[node.name] = y = operation.reference(graph.layout, *inputs)
        if operation.kind in ("conv2d", "linear"):
            absolute = operation.changed(weight=np.abs(operation.weight), activation=None)
            terms = operation.weight[..., 0].size + 2  # bias, and weights that a batch norm scales
            errors[node.name] = 2 * terms * absolute.reference(graph.layout, *map(np.abs, inputs))
        elif operation.kind not in EXACT:
            pixels, channels = np.prod(inputs[0].shape[1:-1]), inputs[0].shape[-1]
            terms = {"add": 1, "batch_norm": 4, "global_avg_pool2d": pixels}.get(operation.kind, channels + 16)
            errors[node.name] = (
                2 * terms * (np.abs(y) + sum(np.abs(v).max() for v in inputs) * (operation.kind == "batch_norm"))
            )
    return y, errors


def run(graph, x, errors, eps):
    """The result where each node is off by its bound, one way or the other at random: how far rounding may carry it."""
    rng, values = np.random.default_rng(0), {INPUT: x}
    for node in graph.nodes:
        y = node.operation.reference(graph.layout, *(values[name] for name in node.inputs))
        if node.name in errors:
            y = y + eps * errors[node.name] * rng.choice((-1.0, 1.0), y.shape)
        values[node.name] = y
    return y
