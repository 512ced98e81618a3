"""Attention in nodes of its own, as exporters write it."""

import numpy as np
from onnx_models import DOUBLE, FLOAT, model

RNG = np.random.default_rng(0)


class Written:
    """The nodes that an exporter writes for an attention, of heads that lie side by side in x, y and z."""

    def __init__(self, batch=2, heads=3, rows=17, columns=19, depth=20, width=20, dtype="f4"):
        sizes = {"x": (batch, rows, heads, depth), "y": (batch, columns, heads, depth)}
        self.shapes = {**sizes, "z": (batch, columns, heads, width)}
        self.scores, self.dtype = (batch, heads, rows, columns), dtype
        self.xs = [RNG.standard_normal(shape).astype(dtype) for shape in self.shapes.values()]
        self.nodes, self.constants = [], {}

    def add(self, kind, *sources, **attributes):
        """A node on tensors, or arrays as constants; returns the name of its result."""
        names = list(sources)
        for i, source in enumerate(sources):
            if isinstance(source, np.ndarray):
                names[i] = f"c{len(self.constants)}"
                self.constants[names[i]] = source
        self.nodes.append((kind, " ".join(names), f"t{len(self.nodes)}", attributes))
        return self.nodes[-1][2]

    def heads(self, name, *order):
        return self.add("Transpose", name, perm=order or (0, 2, 1, 3))

    def number(self, value):
        return np.array(value, self.dtype)

    def bias(self, *shape):
        return RNG.standard_normal(shape).astype(self.dtype)

    def rest(self, scores, value=None, axis=-1):
        """The softmax and the second product."""
        value = value or self.heads("z")
        y = self.add("MatMul", self.add("Softmax", scores, axis=axis), value)
        return self.heads(y)

    def proto(self, y):
        dtype = FLOAT if self.dtype == "f4" else DOUBLE
        names = tuple(self.shapes)
        return model(self.nodes, self.constants, names, (y,), opset=18, dtype=dtype, shapes=self.shapes)

    def product(self):
        return self.add("MatMul", self.heads("x"), self.heads("y", 0, 2, 3, 1))
