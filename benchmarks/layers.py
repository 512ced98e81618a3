"""A convolution or a block by its shapes, and the convolutions of a network as such layers."""

from dataclasses import dataclass

from fastconv._checks.shapes import conv_geometry
from fastconv._graph import blocks
from fastconv._graph.graph import single
from fastconv._graph.operations.conv import Conv


@dataclass(frozen=True)
class Layer:
    """`kind` is the function of `fastconv.reference` that computes it, `options` are that function's keywords.

    `weights` are {part: HWIO shape of its weight} in the order of the function's arguments, with the one part "weight"
    for a "conv2d"; `x_shape` is (H, W, C). Every convolution has a bias.
    """

    name: str
    kind: str
    x_shape: tuple
    weights: dict
    options: dict

    @property
    def graph(self):
        """Its graph, of shapes without weights."""
        if self.kind == "conv2d":
            return single(Conv(conv_geometry(self.weights["weight"], **self.options), True), "NHWC")
        return blocks.of_shapes(self.kind, [*self.weights.values()], True, **self.options)

    @property
    def conv_shapes(self):
        """{part: `ConvShape`} of its convolutions."""
        return dict(zip(self.weights, self.graph.conv_shapes(self.x_shape).values(), strict=True))

    @property
    def out_shape(self):
        """(P, Q, K) of its output."""
        graph = self.graph
        return graph.shapes(self.x_shape)[graph.outputs[0]]

    def cost(self):
        """The exact `fastconv.cost.Cost` for one image of float32."""
        return self.graph.cost(self.x_shape, itemsize=4)


def convolutions(network):
    """[Layer] of the convolutions of a `fastconv.networks.Network`, in order."""
    return [
        Layer(
            name,
            "conv2d",
            (shape.height, shape.width, shape.in_channels),
            {"weight": (*shape.kernel, shape.in_channels // shape.groups, shape.out_channels)},
            {"stride": shape.stride, "padding": shape.padding, "groups": shape.groups},
        )
        for name, shape in network.conv_shapes().items()
    ]
