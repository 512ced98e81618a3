"""The layers of published networks, from compact tables: what the benchmarks measure and the tests try.

`nin`, `alexnet`, `googlenet`, `resnet` and `squeezenet` return the ordered `Layer`s of one image's way through a network;
`convolutions` takes their blocks apart, `total_cost` adds everything up. Batch norm is taken as folded into weights and
biases, so every convolution has a bias; local response normalisation, dropout and softmax are left out. Where a number
printed in a paper disagrees with the arithmetic, the network's function says so.
"""

from dataclasses import dataclass, field

from fastconv import _block_shapes, _shapes, cost


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer, or one block, of a network.

    Attributes
    ----------
    name : str
    kind : str
        The function of `fastconv.reference` that computes it: "conv2d", "fire", "max_pool2d", …
    x_shape : tuple of int
        (H, W, C) of what it reads.
    weights : dict of str to tuple of int
        The HWIO shape of each part's weight, in the order of the function's arguments.
    options : dict
        The function's other arguments: stride, padding, groups, kernel, …
    """

    name: str
    kind: str
    x_shape: tuple
    weights: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)

    @property
    def is_fully_connected(self):
        """Whether this is a fully connected layer, as a convolution whose kernel is the whole map."""
        return self.kind == "conv2d" and self.weights["weight"][:2] == self.x_shape[:2]

    @property
    def conv_shapes(self):
        """{part: ConvShape}, empty for a pooling."""
        if self.kind == "conv2d":
            return {"weight": _shapes.conv_shape(self.x_shape, self.weights["weight"], **self.options)}
        if not self.weights:
            return {}
        parts = getattr(_block_shapes, self.kind)(*self.weights.values(), **self.options)
        return _block_shapes.conv_shapes(parts, self.x_shape)

    @property
    def out_shape(self):
        """(P, Q, K) of what it gives."""
        ...

    def cost(self, itemsize=4):
        """The exact `fastconv.cost.Cost` for one image."""
