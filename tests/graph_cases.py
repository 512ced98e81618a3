"""Random graphs to test with, and what bounds the error of a graph."""

from dataclasses import dataclass, replace

import numpy as np
from cases import DTYPES, LAYOUTS, in_layout, kernel_in_layout, normals
from hypothesis import strategies as st

import fastconv

FEW = st.sampled_from([1, 3, 8, 9])


@dataclass(frozen=True)
class GraphCase:
    """A plan, and an x for it."""

    plan: object
    x: np.ndarray

    def with_threads(self, num_threads):
        return type(self.plan)(self.plan._graph, num_threads)


class _Growing:
    """A graph that is drawn node by node; `maps` are [(node, (height, width, channels))]."""

    def __init__(self, draw, layout, dtype, size, channels):
        self.draw, self.layout, self.dtype = draw, layout, dtype
        self.rng, self.g = np.random.default_rng(0), fastconv.Graph(layout=layout)
        self.maps = [(self.g.x, (*size, channels))]

    def grow(self):
        """Add a node that reads drawn ones, the last more often than others."""
        kind = self.draw(st.sampled_from(["conv", "conv", "conv", "block", "pool", "add", "add", "concat", "relu"]))
        x, (height, width, channels) = self.one(self.maps)
        if kind == "conv":
            k, stride, out = self.draw(st.sampled_from([1, 3])), self.draw(st.sampled_from([1, 1, 2])), self.draw(FEW)
            size = -(-height // stride), -(-width // stride)
            residual = [node for node, shape in self.maps if shape == (*size, out)]
            options = (
                {"residual": self.draw(st.sampled_from(residual))} if residual and self.draw(st.booleans()) else {}
            )
            weight, bias = self.pair(k, channels, out)
            activation = self.draw(st.sampled_from([None, "relu"]))
            options |= {"stride": stride, "padding": "same", "activation": activation}
            self.maps.append((self.g.conv2d(x, weight, bias, **options), (*size, out)))
        elif kind == "block":
            pairs = self.pair(1, channels, 3), self.pair(1, 3, 4), self.pair(3, 3, 5)
            fire = fastconv.Fire(*pairs, layout=self.layout)
            name = f"fire{len(self.maps)}"
            self.maps.append((self.g.apply(fire, x, name=name), (height, width, 9)))
        elif kind == "pool":
            pool, stride = (
                self.draw(st.sampled_from([self.g.max_pool2d, self.g.avg_pool2d])),
                self.draw(st.integers(1, 2)),
            )
            shape = (height - 1) // stride + 1, (width - 1) // stride + 1, channels
            self.maps.append((pool(x, 3, stride=stride, padding=1), shape))
        elif kind == "add":
            like = [node for node, shape in self.maps if shape == (height, width, channels)]
            self.maps.append((self.g.add(x, self.draw(st.sampled_from(like))), (height, width, channels)))
        elif kind == "concat":
            like = [one for one in self.maps if one[1][:2] == (height, width)]
            joined = [self.one(like) for _ in range(self.draw(st.integers(1, 3)))]
            shape = height, width, sum(shape[2] for _, shape in joined)
            self.maps.append((self.g.concat(*(node for node, _ in joined)), shape))
        else:
            self.maps.append((self.g.relu(x), (height, width, channels)))

    def one(self, maps):
        return maps[-1] if self.draw(st.booleans()) else self.draw(st.sampled_from(maps))

    def pair(self, k, channels, out):
        """(weight, bias) of values that keep the size of a map's."""
        weight = normals(self.rng, (k, k, channels, out), self.dtype) / np.sqrt(k * k * channels).astype(self.dtype)
        weight = weight.reshape(kernel_in_layout(weight.shape, self.layout))
        return weight, normals(self.rng, (out,), self.dtype)


@st.composite
def graph_cases(draw, nodes=8):
    """Graphs of up to so many nodes, drawn ones that are read several times or not at all among them."""
    layout, dtype, channels = draw(LAYOUTS), draw(DTYPES), draw(FEW)
    size = draw(st.tuples(st.integers(1, 6), st.integers(1, 9)))
    growing = _Growing(draw, layout, dtype, size, channels)
    for _ in range(draw(st.integers(1, nodes))):
        growing.grow()
    batch = draw(st.sampled_from([(), (1,), (3,)]))
    x = normals(np.random.default_rng(1), in_layout((*batch, *size, channels), layout), dtype)
    return GraphCase(growing.g.plan(growing.maps[-1][0]), x)


def magnitude(graph, x):
    """What the graph gives for the absolute values of x and of all weights and biases."""

    def absolute(operation):
        if operation.kind != "conv2d":
            return operation
        bias = None if operation.bias is None else np.abs(operation.bias)
        return replace(operation, weight=np.abs(operation.weight), bias=bias)

    nodes = tuple(replace(node, operation=absolute(node.operation)) for node in graph.nodes)
    return replace(graph, nodes=nodes).reference(np.abs(x))


def terms(graph):
    """Values that the nodes sum, all together: those of every path, as in `compare.assert_block`."""
    return sum(_terms(node) for node in graph.nodes)


def _terms(node):
    operation = node.operation
    if operation.kind == "conv2d":
        return operation.weight[..., 0].size + operation.has_bias + len(node.inputs) - 1
    return {"avg_pool2d": 9 + 1, "add": 1}.get(operation.kind, 0)
