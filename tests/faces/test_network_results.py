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
    "resnet 50": (networks.resnet(50), 40),
    "resnet 50 v1": (networks.resnet(50, stride_in="reduce"), 33),
}
EXACT = "concat", "dropout", "flatten", "max_pool2d", "relu"


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """(network, its weights, images, the first one's scores in float64, {node: a bound of its rounding errors})."""
    network, size = CASES[request.param]
    weights = network.random_weights()
    x = np.random.default_rng(0).standard_normal((2, size, size, 3), np.float32)
    scores, errors = with_errors(network.plan(weights)._graph, x[:1].astype(float))
    assert scores.max() < 0.9  # one score alone would hide the others' errors
    return network, weights, x, scores, errors


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_results(case, dtype):
    """In float64 any other layer stands out from the rounding, however deep the network is."""
    network, weights, x, want, errors = case
    plan = network.plan({name: array.astype(dtype) for name, array in weights.items()})
    away = np.abs(run(plan._graph, x[:1].astype(float), errors, np.finfo(dtype).eps) - want).max()
    assert np.abs(plan(x.astype(dtype))[:1] - want).max() <= away


def test_same_bits(case):
    network, weights, x, _, _ = case
    one, two = (network.plan(weights, num_threads=threads) for threads in (1, 2))
    scores = one(x)
    np.testing.assert_array_equal(two(x), scores)
    for image, image_scores in zip(x, scores, strict=True):
        np.testing.assert_array_equal(two(image), image_scores)


def with_errors(graph, x):
    """The result for x in float64, and {node: how far rounding may move it}, in units of eps.

    Of a sum of n terms that is 4·√n·magnitude, the magnitude being what the node gives for absolute values: rounding
    errors have mean 0, and λ·√n·u bounds their sum but for a probability of 2·exp(−λ²/2), here with λ = 8 (Higham and
    Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41, 2019, section 2).
    """
    values, errors = {INPUT: x}, {}
    for node in graph.nodes:
        operation, inputs = node.operation, [values[name] for name in node.inputs]
        values[node.name] = y = operation.reference(graph.layout, *inputs)
        pixels, channels = np.prod(inputs[0].shape[1:-1]), inputs[0].shape[-1]
        if operation.kind in ("conv2d", "linear"):
            operation = operation.changed(weight=np.abs(operation.weight), activation=None)
            terms = operation.weight[..., 0].size + 2  # the bias, and that weights may be scaled
        elif operation.kind == "batch_norm":
            operation, terms = operation.changed(vectors=tuple(map(np.abs, operation.vectors))), 4
        else:
            terms = {"add": 1, "global_avg_pool2d": pixels}.get(operation.kind, channels + 16)
        if operation.kind not in EXACT:
            errors[node.name] = 4 * np.sqrt(terms) * operation.reference(graph.layout, *map(np.abs, inputs))
    return y.reshape(len(x), -1), errors


def run(graph, x, errors, eps):
    """The result where each node is off by its bound, one way or the other at random: how far rounding may carry it."""
    rng, values = np.random.default_rng(0), {INPUT: x}
    for node in graph.nodes:
        y = node.operation.reference(graph.layout, *(values[name] for name in node.inputs))
        if node.name in errors:
            y = y + eps * errors[node.name] * rng.choice((-1.0, 1.0), y.shape)
        values[node.name] = y
    return y.reshape(len(x), -1)
