"""Random graphs to test with, and small ones."""

from dataclasses import dataclass
from random import Random

import numpy as np
from cases import DTYPES, LAYOUTS, in_layout, kernel_in_layout, normals, small_block
from hypothesis import strategies as st
from naive import windows

import fastconv
from fastconv._graph.operations.shaping import Concat

FEW = [1, 3, 8, 9]

# A map and weights for graphs that are written out.
RNG = np.random.default_rng(0)
X = normals(RNG, (3, 6, 7, 4), "float32")
ONE, THREE = normals(RNG, (1, 1, 4, 4), "float32"), normals(RNG, (3, 3, 4, 4), "float32")
FIRE = fastconv.Fire(*small_block("Fire")[1].values())


@dataclass(frozen=True)
class GraphCase:
    """A plan, and arrays for its inputs."""

    plan: object
    inputs: tuple

    @property
    def x(self):
        return self.inputs[0]

    def with_threads(self, num_threads):
        return type(self.plan)(self.plan._graph, num_threads)


class _Growing:
    """A graph that grows node by node at random; `maps` are [(node, (height, width, channels))]."""

    def __init__(self, seed, layout, dtype, size, channels, inputs):
        self.pick, self.layout, self.dtype = Random(seed), layout, dtype
        self.rng, self.g = np.random.default_rng(0), fastconv.Graph(layout=layout)
        nodes = [self.g.x, *(self.g.input(f"x{i}") for i in range(2, inputs + 1))]
        self.maps = [(node, (*size, channels)) for node in nodes]

    def grow(self):
        """Add a node that reads others, the last more often than the rest."""
        often = [self.conv, self.conv, self.conv, self.pool, self.sum, self.sum, self.linear]
        seldom = [self.fire, self.join, self.flatten, self.pad, self.nothing, self.gate, self.normalize]
        moving = [self.slice, self.shuffle, self.resize, self.transposed]
        grow = self.pick.choice([*often, *seldom, *moving, self.clip, self.function, self.function])
        self.maps.append(grow(*self.one(self.maps)))

    def conv(self, x, shape):
        height, width, channels = shape
        k, stride, out = self.pick.choice([1, 3]), self.pick.choice([1, 1, 2]), self.pick.choice([channels, *FEW])
        result = -(-height // stride), -(-width // stride), out
        residual = [node for node, shape in self.maps if shape == result] if self.pick.random() < 0.3 else []
        options = {
            "stride": stride,
            "padding": "same",
            "activation": self.pick.choice([None, None, "relu", "relu6", (-0.5, 0.75)]),
        }
        if residual:
            options["residual"] = self.pick.choice(residual)
        return self.g.conv2d(x, *self.pair(k, channels, out), **options), result

    def fire(self, x, shape):
        pairs = self.pair(1, shape[2], 3), self.pair(1, 3, 4), self.pair(3, 3, 5)
        block = fastconv.Fire(*pairs, layout=self.layout)
        return self.g.apply(block, x, name=f"fire{len(self.maps)}"), (*shape[:2], 9)

    def pool(self, x, shape):
        pool, stride = self.pick.choice([self.g.max_pool2d, self.g.avg_pool2d]), self.pick.randint(1, 2)
        up = self.pick.random() < 0.3
        result = [windows(size, 3, stride, (1, 1), up) for size in shape[:2]]
        options = {"stride": stride, "padding": 1, "ceil_mode": up}
        if pool == self.g.avg_pool2d:
            options["count_include_pad"] = self.pick.random() < 0.5
        return pool(x, 3, **options), (*result, shape[2])

    def sum(self, x, shape):
        like = [node for node, other in self.maps if other == shape and node is not x] or [x]
        return self.g.add(x, self.pick.choice(like)), shape

    def join(self, x, shape):
        axis, same = self.pick.choice([("channels", slice(2)), ("rows", slice(1, 3)), ("pixels", slice(2, 3))])
        like = [one for one in self.maps if one[1][same] == shape[same]]
        nodes, shapes = zip(*[self.one(like) for _ in range(self.pick.randint(1, 3))], strict=True)
        rows, columns, channels = zip(*shapes, strict=True)
        if axis == "channels":
            return self.g.concat(*nodes), (*shape[:2], sum(channels))
        y = self.g._add(None, Concat(axis), **{f"map {i}": node for i, node in enumerate(nodes, 1)})
        pixels = sum(height * width for height, width in zip(rows, columns, strict=True))
        return y, ((sum(rows), shape[1], shape[2]) if axis == "rows" else (1, pixels, shape[2]))

    def clip(self, x, shape):
        clips = self.g.relu, self.g.relu6, lambda x: self.g.clip(x, -0.75, 0.5)
        return self.pick.choice(clips)(x), shape

    def function(self, x, shape):
        g, slope = self.g, self.rng.random(shape[2]).astype(self.dtype)
        functions = (
            g.elu,
            g.softplus,
            g.mish,
            g.gelu_tanh,
            g.gelu,
            g.erf,
            g.abs,
            g.leaky_relu,
            g.sigmoid,
            g.tanh,
            g.swish,
            g.hard_sigmoid,
            g.hard_swish,
            lambda x: g.prelu(x, slope),
        )
        return self.pick.choice(functions)(x), shape

    def gate(self, x, shape):
        maps = x, self.g.sigmoid(self.g.global_max_pool2d(x))
        return self.g.mul(*maps[:: self.pick.choice([1, -1])]), shape

    def normalize(self, x, shape):
        g, (mean, scale, shift) = self.g, normals(self.rng, (3, shape[2]), self.dtype)
        norms = [lambda x: g.batch_norm(x, mean, scale**2 + 1, scale, shift), lambda x: g.scale(x, scale)]
        axis = self.pick.choice(["height", "width", "channels"])
        softmaxes = [lambda x: g.softmax(x, axis=axis), lambda x: g.log_softmax(x, axis=axis)]
        return self.pick.choice([*norms, *softmaxes, g.local_response_norm])(x), shape

    def linear(self, x, shape):
        weight, bias = self.pair(1, shape[2], out := self.pick.choice(FEW))
        matrix = weight.squeeze((0, 1) if self.layout == "NHWC" else (2, 3))
        return self.g.linear(x, matrix, bias, activation=self.pick.choice([None, "relu"])), (*shape[:2], out)

    def flatten(self, x, shape):
        while np.prod(shape) > 100:
            x, shape = self.g.max_pool2d(x, 2, ceil_mode=True), (-(-shape[0] // 2), -(-shape[1] // 2), shape[2])
        return self.g.flatten(x), (1, 1, int(np.prod(shape)))

    def pad(self, x, shape):
        (top, bottom), (left, right) = sides = [[self.pick.randint(0, 2) for _ in range(2)] for _ in range(2)]
        padded = shape[0] + top + bottom, shape[1] + left + right, shape[2]
        return self.g.pad(x, sides, self.pick.choice([0, -1.5])), padded

    def slice(self, x, shape):
        starts = [self.pick.randint(0, size - 1) for size in shape]
        parts = [slice(start, None, self.pick.choice([1, 2])) for start in starts]
        sizes = [len(range(size)[part]) for size, part in zip(shape, parts, strict=True)]
        return self.g.slice(x, **dict(zip(("height", "width", "channels"), parts, strict=True))), tuple(sizes)

    def shuffle(self, x, shape):
        height, width, channels = shape
        if height % 2 == 0 and self.pick.random() < 0.5:
            return self.g.space_to_depth(x, (2, 1)), (height // 2, width, 2 * channels)
        block = next(n for n in (3, 2, 1) if channels % n == 0)
        order = self.pick.choice(["DCR", "CRD"])
        return self.g.depth_to_space(x, (1, block), order=order), (height, width * block, channels // block)

    def resize(self, x, shape):
        size = self.pick.randint(1, 7), self.pick.randint(1, 7)
        return self.g.resize2d(x, size, mode=self.pick.choice(["nearest", "linear"])), (*size, shape[2])

    def transposed(self, x, shape):
        height, width, channels = shape
        (k, stride), out = self.pick.choice([(2, 2), (3, 2), (3, 1)]), self.pick.choice(FEW)
        weight, bias = self.pair(k, channels, out)
        if self.layout == "NHWC":
            weight = np.ascontiguousarray(weight.transpose(0, 1, 3, 2))
        else:
            weight = np.ascontiguousarray(weight.transpose(1, 0, 2, 3))
        size = ((n - 1) * stride + k for n in (height, width))
        return self.g.conv_transpose2d(x, weight, bias, stride=stride), (*size, out)

    def nothing(self, x, shape):
        return self.pick.choice([self.g.identity, self.g.dropout])(x), shape

    def one(self, maps):
        return maps[-1] if self.pick.random() < 0.7 else self.pick.choice(maps)

    def pair(self, k, channels, out):
        """(weight, bias) of values that keep the size of a map's."""
        weight = normals(self.rng, (k, k, channels, out), self.dtype) / np.sqrt(k * k * channels).astype(self.dtype)
        weight = weight.reshape(kernel_in_layout(weight.shape, self.layout))
        return weight, normals(self.rng, (out,), self.dtype)


@st.composite
def graph_cases(draw, nodes=14, ends=1):
    """Graphs of some nodes, drawn ones that are read several times, or not at all, among them.

    They have `ends` inputs and results, any nodes; an input that no result needs is left out.
    """
    layout, dtype, channels = draw(LAYOUTS), draw(DTYPES), draw(st.sampled_from(FEW))
    size = draw(st.tuples(st.integers(1, 6), st.integers(1, 9)))
    growing = _Growing(draw(st.integers(0, 2**32)), layout, dtype, size, channels, ends)
    for _ in range(draw(st.integers(nodes // 2, nodes))):
        growing.grow()
    batch = draw(st.sampled_from([(), (1,), (3,)]))
    results = [node for node, _ in growing.maps[-1:] + growing.pick.sample(growing.maps[:-1], ends - 1)]
    plan, rng = growing.g.plan(*results), np.random.default_rng(1)
    inputs = [normals(rng, in_layout((*batch, *size, channels), layout), dtype) for _ in plan.inputs]
    return GraphCase(plan, tuple(inputs))


def steps(plan, x=X):
    """{name: algorithm} of what a plan of a graph runs for x."""
    return {name: part.algorithm for name, part in plan.describe(x.shape).parts.items()}
