"""A layer of a network, and the builder that chains them: what `fastconv.networks` is written with."""

from dataclasses import dataclass

from fastconv._checks import pool_shapes, shapes
from fastconv._checks.arguments import sizes
from fastconv._graph import blocks
from fastconv._graph.graph import single
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.pools import Pool


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer or one block of a network.

    Attributes
    ----------
    name : str
    kind : str
        The function of `fastconv.reference` that computes it: "conv2d", "max_pool2d", "global_avg_pool2d" or a block's.
    x_shape : tuple of int
        (H, W, C) of its input.
    weights : dict
        {part: HWIO shape of its weight} in the order of the function's arguments, with the one part "weight" for a
        "conv2d"; empty for a pooling.
    options : dict
        The function's keywords, such as stride and padding.
    """

    name: str
    kind: str
    x_shape: tuple
    weights: dict
    options: dict

    def __post_init__(self):
        for name, frozen in (
            ("x_shape", sizes("x", self.x_shape)),
            ("weights", {part: sizes(part, shape) for part, shape in dict(self.weights).items()}),
            ("options", {option: _frozen(value) for option, value in dict(self.options).items()}),
        ):
            object.__setattr__(self, name, frozen)

    @property
    def is_fully_connected(self):
        """Whether this is a convolution whose kernel is the whole map."""
        return self.kind == "conv2d" and self.weights["weight"][:2] == self.x_shape[:2]

    @property
    def graph(self):
        """Its graph, of shapes without weights; every convolution has a bias."""
        if self.kind in blocks.BLOCKS:
            return blocks.of_shapes(self.kind, [(shape, True) for shape in self.weights.values()], **self.options)
        if self.kind == "conv2d":
            return single(Conv(shapes.conv_geometry(self.weights["weight"], **self.options), True), "NHWC")
        pooling = {"kernel": self.x_shape[:2]} | self.options
        return single(Pool("max" if self.kind == "max_pool2d" else "avg", pool_shapes.pool_geometry(**pooling)), "NHWC")

    @property
    def conv_shapes(self):
        """{part: `ConvShape`} of its convolutions."""
        return dict(zip(self.weights, self.graph.conv_shapes(self.x_shape).values(), strict=True))

    @property
    def out_shape(self):
        """(P, Q, K) of its output."""
        graph = self.graph
        return graph.shapes(self.x_shape)[graph.output]

    def cost(self, itemsize=4):
        """The exact `fastconv.cost.Cost` for one image, elements of `itemsize` bytes."""
        return self.graph.cost(self.x_shape, itemsize)


def _frozen(value):
    """An option whose lists are tuples: no later change reaches the layer."""
    return tuple(map(_frozen, value)) if isinstance(value, (tuple, list)) else value


class Builder:
    """Appends layers, each of which reads what the one before it gave."""

    def __init__(self, x_shape):
        self.layers, self.x_shape = [], x_shape

    def _add(self, *layer):
        self.layers.append(Layer(*layer))
        self.x_shape = self.layers[-1].out_shape

    def conv(self, name, size, out, **options):
        shape = size, size, self.x_shape[2] // options.get("groups", 1), out
        self._add(name, "conv2d", self.x_shape, {"weight": shape}, options)

    def fully_connected(self, name, out):
        self._add(name, "conv2d", self.x_shape, {"weight": (*self.x_shape, out)}, {})

    def pool(self, name):
        """3×3 max of stride 2. Caffe rounds the number of outputs up: a last window may lack a row or column."""
        ends = [(0, (3 - n) % 2) for n in self.x_shape[:2]]
        self._add(name, "max_pool2d", self.x_shape, {}, {"kernel": 3, "stride": 2, "padding": tuple(ends)})

    def average(self):
        self._add("average", "global_avg_pool2d", self.x_shape, {}, {})

    def block(self, kind, name, *parts, **options):
        """A block whose parts are (kernel size, channels in, channels out)."""
        shapes = [(size, size, c, k) for size, c, k in parts]
        self._add(name, kind, self.x_shape, dict(zip(blocks.names(kind), shapes, strict=False)), options)
