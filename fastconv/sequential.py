"""`Sequential`: plans one after the other."""

from fastconv._checks.types import Accuracy, AlgorithmName
from fastconv._planning.graph_plan import GraphPlan
from fastconv._planning.plan import Plan
from fastconv.graph import Graph, graph_of


class Sequential(GraphPlan):
    """Plans one after the other, as one plan: each reads what the one before it gave.

    Parameters
    ----------
    *layers : plans or graphs
        `Conv2d`, blocks, a `Graph` or its plans, other `Sequential`s, of one layout and dtype. Errors and `describe`
        call them by their class and place: the nodes of a `Fire` that comes second are "fire2.squeeze" and so on.
    num_threads : int, optional
        As in `Conv2d`, for all layers; what they were given themselves does not count.
    algorithm, accuracy
        As in `Graph.plan`.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> rng = np.random.default_rng(0)
    >>> conv, squeeze, one, three = (
    ...     rng.standard_normal(shape, np.float32)
    ...     for shape in [(3, 3, 3, 16), (1, 1, 16, 4), (1, 1, 4, 8), (3, 3, 4, 8)]
    ... )
    >>> net = fastconv.Sequential(
    ...     fastconv.Conv2d(conv, stride=2, activation="relu"),
    ...     fastconv.Fire((squeeze, None), (one, None), (three, None)),
    ... )
    >>> net(np.ones((1, 33, 33, 3), np.float32)).shape
    (1, 16, 16, 16)
    >>> list(net.describe((1, 33, 33, 3)).parts)
    ['conv2d1', 'fire2.squeeze', 'fire2.expand1x1', 'fire2.expand3x3']
    """

    def __init__(
        self,
        *layers: Plan | Graph,
        num_threads: int | None = None,
        algorithm: AlgorithmName = "auto",
        accuracy: Accuracy = "normwise",
    ) -> None:
        if not layers:
            raise TypeError("Sequential takes one layer at least")
        graphs = [graph_of(f"layer {i}", layer) for i, layer in enumerate(layers, 1)]
        g = Graph(layout=graphs[0].layout)
        y = g.x
        for i, (layer, graph) in enumerate(zip(layers, graphs, strict=True), 1):
            if len(graph.inputs) != 1 or len(graph.outputs) != 1:
                ends = f"{len(graph.inputs)} and {len(graph.outputs)}"
                raise ValueError(f"layer {i} must have one input and one result, got {ends}")
            y = g.apply(layer, y, name=f"{type(layer).__name__.lower()}{i}")
        super().__init__(g.plan(y)._graph, num_threads, algorithm, accuracy)
