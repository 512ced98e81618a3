"""The work of a row, as every engine gets it: nodes with the names and attributes of ONNX, arrays, an x, all NCHW.

A node is {"op", "inputs", "output", "attributes"}. Inputs are x, the outputs of earlier nodes, and names of arrays.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Model:
    """Nodes in running order; the last one's output is the result."""

    nodes: list
    arrays: dict
    x: np.ndarray
    y_shape: tuple
    folder: Path | None = None  # where it stands, with room for an engine's own files

    @property
    def output(self):
        return self.nodes[-1]["output"]

    def save(self, folder):
        np.savez(folder / "arrays.npz", x=self.x, **{f"node {name}": array for name, array in self.arrays.items()})
        (folder / "model.json").write_text(json.dumps({"nodes": self.nodes, "y_shape": self.y_shape}))

    @classmethod
    def load(cls, folder):
        arrays = dict(np.load(folder / "arrays.npz"))
        x = arrays.pop("x")
        arrays = {name.removeprefix("node "): array for name, array in arrays.items()}
        return cls(**json.loads((folder / "model.json").read_text()), arrays=arrays, x=x, folder=folder)

    def readers(self):
        """{tensor: how many nodes read it}, being the result counted as one."""
        counts = {self.output: 1}
        for node in self.nodes:
            for name in node["inputs"]:
                if name not in self.arrays:
                    counts[name] = counts.get(name, 0) + 1
        return counts

    def onnx(self):
        """The path of the model in ONNX's format, for this batch."""
        path = self.folder / "model.onnx"
        if not path.exists():
            path.write_bytes(self.onnx_proto().SerializeToString())
        return path

    def onnx_proto(self):
        from onnx import TensorProto, helper, numpy_helper

        nodes = [
            helper.make_node(node["op"], node["inputs"], [node["output"]], node["output"], **node["attributes"])
            for node in self.nodes
        ]
        inputs, outputs = (
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
            for name, shape in (("x", self.x.shape), (self.output, self.y_shape))
        )
        initializers = [numpy_helper.from_array(array, name) for name, array in self.arrays.items()]
        graph = helper.make_graph(nodes, "row", inputs, outputs, initializers)
        opset = [helper.make_opsetid("", 15)]
        return helper.make_model(graph, opset_imports=opset, ir_version=8)
