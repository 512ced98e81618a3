"""fastconv as a backend of the onnx library, as its own tests of backends want it."""

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import numpy_helper
from onnx.backend import base

from fastconv.onnx import load
from fastconv.onnx._model import Model


class Prepared(base.BackendRep):  # type: ignore[misc]
    """A loaded model."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def run(self, inputs: Any, **options: Any) -> tuple[Any, ...]:
        """The results for a list of inputs in their order, or for one input, or a dict."""
        if isinstance(inputs, list | tuple):
            results = self.model(*(numpy_helper.to_array(x) if isinstance(x, onnx.TensorProto) else x for x in inputs))
        else:
            results = self.model(inputs)
        return results if len(self.model.outputs) > 1 else (results,)


class Backend(base.Backend):  # type: ignore[misc]
    """What `onnx.backend.test.BackendTest` takes; it has the device "CPU".

    Examples
    --------
    >>> import numpy as np, onnx, fastconv.onnx
    >>> node = onnx.helper.make_node("Relu", ["x"], ["y"])
    >>> fastconv.onnx.Backend.run_node(node, [np.array([-1, 2], np.float32)])
    (array([0., 2.], dtype=float32),)
    """

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **options: Any) -> Prepared:
        """Load a model; the options are those of `load`."""
        if not cls.supports_device(device):
            raise ValueError(f"device must be CPU, got {device!r}")
        return Prepared(load(model, **options))

    @classmethod
    def run_model(cls, model: onnx.ModelProto, inputs: Any, device: str = "CPU", **options: Any) -> tuple[Any, ...]:
        """Load a model and run it once."""
        return cls.prepare(model, device, **options).run(inputs)

    @classmethod
    def run_node(
        cls,
        node: onnx.NodeProto,
        inputs: Sequence[Any],
        device: str = "CPU",
        outputs_info: Any = None,
        **options: Any,
    ) -> tuple[Any, ...]:
        """Run one node of the newest opset."""
        types = [
            onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(x.dtype), None)
            for name, x in zip(node.input, inputs, strict=True)
        ]
        results = [onnx.ValueInfoProto(name=name) for name in node.output]
        graph = onnx.helper.make_graph([node], "node", types, results)
        opsets = [onnx.helper.make_opsetid(node.domain, onnx.defs.onnx_opset_version())]
        return cls.run_model(onnx.helper.make_model(graph, opset_imports=opsets), list(inputs), device, **options)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether the device is the CPU."""
        return device == "CPU"
