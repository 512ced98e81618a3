"""`Network`: a graph of shapes, which takes its weights by name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastconv._checks import arguments
from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Accuracy, AlgorithmName, Array, Float, Layout, Shape
from fastconv._graph.costs import Cost
from fastconv._graph.graph import INPUT, Graph, Node
from fastconv._planning.graph_plan import GraphPlan
from fastconv.networks import _weights


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A published network or a part of one; it holds no weights before it is called, so that numbers cost nothing.

    Attributes
    ----------
    name : str
    input_shape : tuple of int
        Of one image, (H, W, C), or (C, H, W) in layout NCHW.
    """

    name: str
    input_shape: Shape
    _graph: Graph

    def __repr__(self) -> str:
        return f"<{self.name}: {self.input_shape} → {self.output_shape}>"

    @property
    def layout(self) -> Layout:
        """ "NHWC" or "NCHW"."""
        return self._graph.layout

    @property
    def output_shape(self) -> Shape:
        """The shape of the result for one image."""
        return self._graph.result_shape(self._graph.outputs[0], self._graph.shapes(self.input_shape))

    @property
    def classes(self) -> int:
        """How many scores a network gives."""
        return self.output_shape[-1]

    @property
    def weight_shapes(self) -> dict[str, Shape]:
        """{name: shape} of the arrays that `plan` takes, in running order."""
        return {
            f"{node.name}.{part}": shape for node in self._graph.nodes for part, shape in node.operation.weights.items()
        }

    def __call__(self, x: Array[Float], *, out: Array[Float] | None = None) -> Array[Float]:
        """Run it with random weights: the plan `plan()` is made in the first call, and kept.

        x and `out` are those of the plan; one with weights of yours is `plan(weights)`.
        """
        made = vars(self)  # of a frozen record; no lock, which a fork could leave locked: threads keep the first
        plan: GraphPlan = made.get("_plan") or made.setdefault("_plan", self.plan())
        return plan(x, out=out)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_plan"}

    def cost(self, x_shape: Shape | None = None, itemsize: int = 4) -> Cost:
        """The exact `fastconv.cost.Cost` for x of this shape; the default is one image.

        Examples
        --------
        >>> from fastconv import networks
        >>> networks.squeezenet("1.1").cost()
        Cost(macs=387747520, params=1235496, bytes=5564332)
        """
        return self._graph.cost(self.input_shape if x_shape is None else x_shape, itemsize=itemsize)

    def conv_shapes(self) -> dict[str, ConvShape]:
        """{name: geometry in integers} of the convolutions, for one image; no fully connected layers.

        Examples
        --------
        >>> from fastconv import networks
        >>> shape = networks.alexnet().conv_shapes()["conv2"]
        >>> shape.in_channels, shape.out_channels, shape.groups
        (96, 256, 2)
        """
        linear = {node.name for node in self._graph.nodes if node.operation.kind == "linear"}
        shapes = self._graph.conv_shapes(self.input_shape)
        return {name: shape for name, shape in shapes.items() if name not in linear}

    def layers(self, depth: int = 1) -> list["Network"]:
        """The parts in running order, each with what one name stands for, such as a whole Fire module.

        `depth` is the number of words, with dots between them, that make a name: `resnet().layers()` are its stages,
        "layer1" and so on, `resnet().layers(2)` its blocks, "layer1.0".

        Examples
        --------
        >>> from fastconv import networks
        >>> for layer in networks.squeezenet("1.0").layers()[:3]:
        ...     print(layer, f"{layer.cost().macs:,}")
        <conv1: (227, 227, 3) → (111, 111, 96)> 173,873,952
        <pool1: (111, 111, 96) → (55, 55, 96)> 0
        <fire2: (55, 55, 96) → (55, 55, 128)> 35,622,400
        """
        depth = arguments.integer("depth", depth, 1)
        names = [".".join(node.name.split(".")[:depth]) for node in self._graph.nodes]
        return [self.part(name) for name in dict.fromkeys(names)]

    def part(self, name: str) -> "Network":
        """The part whose nodes are called `name`, or `name` and more after a dot, as a network of its own.

        Examples
        --------
        >>> from fastconv import networks
        >>> networks.resnet(50).part("layer1.0")
        <layer1.0: (56, 56, 64) → (56, 56, 256)>
        """
        nodes = [node for node in self._graph.nodes if f"{node.name}.".startswith(f"{name}.")]
        sources = {source for node in nodes for source in node.inputs} - {node.name for node in nodes}
        if len(sources) != 1:
            raise ValueError(f"name must be that of a part of {self.name} with one input, got {name!r}")
        (x,) = sources
        renamed = [replace(node, inputs=tuple(INPUT if n == x else n for n in node.inputs)) for node in nodes]
        graph = Graph(tuple(renamed), (nodes[-1].name,), self.layout, self._graph.dtype)
        return Network(name, self._graph.shapes(self.input_shape)[x], graph)

    def random_weights(self, seed: int = 0, dtype: type[Any] = np.float32) -> dict[str, Array[Any]]:
        """Weights that keep the size of values: normal, scaled as in arXiv:1502.01852, equation 10.

        Parameters
        ----------
        seed : int, at least 0, default 0
        dtype : np.float32 or np.float64, default np.float32

        Examples
        --------
        >>> from fastconv import networks
        >>> networks.nin("cifar10").random_weights()["mlpconv1.conv.weight"].shape
        (5, 5, 3, 192)
        """
        return _weights.random(self.weight_shapes, self.layout, seed, dtype)

    def plan(
        self,
        weights: Mapping[str, Array[Any]] | str | os.PathLike[str] | None = None,
        *,
        num_threads: int | None = None,
        algorithm: AlgorithmName = "auto",
        accuracy: Accuracy = "normwise",
    ) -> GraphPlan:
        """The plan that runs the network with these weights.

        Parameters
        ----------
        weights : mapping of arrays, path of a .npz or .safetensors file, or None
            For each name in `weight_shapes` an array of that shape, all float32 or all float64; copies are kept.
            PyTorch's "…num_batches_tracked" is passed over. None are `random_weights()`. For .safetensors
            install safetensors.
        num_threads, algorithm, accuracy
            As in `fastconv.Graph.plan`.

        Returns
        -------
        plan
            It takes x as `fastconv.Graph.plan` does, of shape `input_shape` or with a batch axis.

        Raises
        ------
        TypeError, ValueError, OSError
            Naming the array that is missing, unknown or not as `weight_shapes` has it.

        Examples
        --------
        >>> import numpy as np
        >>> from fastconv import networks
        >>> net = networks.nin("cifar10")
        >>> plan = net.plan(net.random_weights(seed=1), num_threads=1)
        >>> plan(np.ones((2, 32, 32, 3), np.float32)).shape
        (2, 10)
        """
        given = self.random_weights() if weights is None else _weights.read(weights)
        arrays = _weights.checked(self.name, given, self.weight_shapes, self.layout)
        dtype = next((array.dtype for array in arrays.values()), None)
        nodes = tuple(_with_weights(node, arrays) for node in self._graph.nodes)
        return GraphPlan(replace(self._graph, nodes=nodes, dtype=dtype), num_threads, algorithm, accuracy)


def _with_weights(node: Node, arrays: Mapping[str, np.ndarray]) -> Node:
    parts = {part: arrays[f"{node.name}.{part}"] for part in node.operation.weights}
    return replace(node, operation=node.operation.with_weights(parts)) if parts else node
