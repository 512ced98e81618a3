"""A model: a program bound to the shapes of its inputs, once for each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks import arguments
from fastconv._checks.types import Accuracy
from fastconv._graph.costs import Cost
from fastconv._planning import teams
from fastconv._planning.description import GraphDescription
from fastconv.onnx import _description, _feeds
from fastconv.onnx._binding import Binding, check_operators
from fastconv.onnx._program import Program
from fastconv.onnx._segments import Kept
from fastconv.onnx._stage import Stage
from fastconv.onnx._steps import Values, contiguous
from fastconv.onnx._values import Tensor, is_array, tensor_of

if TYPE_CHECKING:
    from fastconv.onnx._profile import ModelProfile

_MAX_STAGES = 64  # kept, one for the shapes of a call each


class Model:
    """A model that `fastconv.onnx.load` read; it is called as a function of its inputs.

    The first call on inputs of some shapes binds it to them, which takes longer. A model may be called from many
    threads at once, copied and pickled.

    Attributes
    ----------
    graph : Program
        The nodes of the file in running order, with its inputs, outputs and constants; prints as a list.
    """

    def __init__(
        self, program: Program, strict: bool, num_threads: int | None, accuracy: Accuracy, max_bytes: int
    ) -> None:
        self.graph = program
        self._strict, self._num_threads = strict, num_threads
        self._kept = Kept(num_threads, accuracy, max_bytes)
        check_operators(program, strict)
        self._stages: dict[Any, Stage] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, in another process too, binds itself anew to the shapes of its calls."""
        kept = self._kept
        return _unpickled, (self.graph, self._strict, self._num_threads, kept.accuracy, kept.max_bytes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.inputs)} -> {', '.join(self.outputs)})"

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs that a call must give."""
        return tuple(one.name for one in self.graph.inputs)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the results, in their order."""
        return self.graph.outputs

    @property
    def num_threads(self) -> int:
        """The largest team, for the calling thread now."""
        return teams.now(self._num_threads)

    def __call__(self, *inputs: Any) -> Any:
        """Run the model.

        Parameters
        ----------
        *inputs : ndarray, or one dict {name: ndarray}
            In the order of the model's inputs, with its layout and dtypes. A dict may also have initializers that are
            inputs too.

        Returns
        -------
        ndarray
            In the model's own layout, or a tuple of several results. They share no memory with the inputs or with each
            other.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> from onnx import parser
        >>> model = fastconv.onnx.load(parser.parse_model('''
        ... <ir_version: 8, opset_import: ["" : 18]>
        ... agraph (float[N, C] x) => (float[N, C] y) { y = Relu(x) }'''))
        >>> model(np.array([[-1, 2]], np.float32)), model({"x": np.array([[-3]], np.float32)})
        (array([[0., 2.]], dtype=float32), array([[0.]], dtype=float32))
        """
        feeds = _feeds.checked(self.graph, inputs)
        values = dict(feeds)
        try:
            known = self.run(feeds, values)
            return arguments.alone(self.results(known, values, feeds))
        except MemoryError as error:  # sizes in a file may be any
            raise ValueError(f"the model makes an array larger than the memory: {error}") from error

    def run(self, feeds: Mapping[str, Any], values: Values, **watch: Any) -> Mapping[str, Any]:
        """Run all stages on checked inputs; returns what is known of each value, of which `values` has the arrays."""
        stage = self._bound(feeds)
        stage.run(values, **watch)
        while not stage.is_last:
            stage = stage.follower(values)
            stage.run(values, **watch)
        return stage.known

    def describe(self, *shapes: Any, measure: bool = False) -> GraphDescription:
        """What a call on inputs of these shapes does, step by step.

        Parameters
        ----------
        *shapes : tuples of integers, or one dict {name: tuple}
            In the order of the inputs; what the model says itself may be left out where none is given.
        measure : bool
            Time each step of fastconv by itself, as `Conv2d.describe` does it.

        Examples
        --------
        >>> import fastconv
        >>> from onnx import parser
        >>> model = fastconv.onnx.load(parser.parse_model('''
        ... <ir_version: 8, opset_import: ["" : 18]>
        ... agraph (float[N, C] x) => (float[N, C] y) { s = Sigmoid(x)  y = Atan(s) }'''))
        >>> [(name, part.algorithm) for name, part in model.describe((2, 3)).parts.items()]
        [('s', 'sigmoid'), ('y', 'onnx.reference')]
        """
        return _description.description(self._at(shapes), measure)

    def cost(self, *shapes: Any) -> Cost:
        """The `fastconv.cost.Cost` of a call on inputs of these shapes, given as to `describe`.

        Multiply-accumulates are those of convolutions and products with matrices; parameters those that the steps have.

        Examples
        --------
        >>> import fastconv
        >>> from onnx import parser
        >>> model = fastconv.onnx.load(parser.parse_model('''
        ... <ir_version: 8, opset_import: ["" : 18]>
        ... agraph (float[N, C] x) => (float[N, C] y) { y = Relu(x) }'''))
        >>> model.cost((2, 3))
        Cost(macs=0, params=0, bytes=48)
        """
        return _description.cost(self._at(shapes), self.inputs, self.outputs)

    def profile(self, *inputs: Any) -> "ModelProfile":
        """Run the model on these inputs for about a second, three times at least, and time each step within the runs.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> from onnx import parser
        >>> model = fastconv.onnx.load(parser.parse_model('''
        ... <ir_version: 8, opset_import: ["" : 18]>
        ... agraph (float[N, C] x) => (float[N, C] y) { s = Relu(x)  y = Atan(s) }'''))
        >>> profile = model.profile(np.ones((64, 512), np.float32))
        >>> [step.operation for step in profile.steps]
        ['relu', 'Atan']
        """
        from fastconv.onnx._profile import profile

        return profile(self, _feeds.checked(self.graph, inputs))

    def results(self, known: Mapping[str, Any], values: Values, feeds: Mapping[str, Any]) -> list[Any]:
        """The results as arrays of their own, which may be written to."""
        results: list[Any] = []
        for name in self.outputs:
            value = known[name]
            y = values[value.name] if isinstance(value, Tensor) else value
            if isinstance(y, np.ndarray):
                y = contiguous(y, self._num_threads)
                # Of what a step made, and is no view, an input has no view.
                is_new = y.base is None and not any(x is y for x in feeds.values())
                others = filter(is_array, results if is_new else (*feeds.values(), *results))
                is_kept = not isinstance(value, Tensor) or not y.flags.writeable
                y = y.copy() if is_kept or any(np.may_share_memory(y, x) for x in others) else y
            results.append(y)
        return results

    def _at(self, shapes: tuple[Any, ...]) -> Stage:
        """The stage for inputs of these shapes, which must be the only one."""
        stage = self._bound({}, _feeds.placeholders(self.graph, shapes))
        if not stage.is_last:
            raise ValueError(f"{stage.why_not_last}; profile tells of a call")
        return stage

    def _bound(self, feeds: Mapping[str, Any], tensors: Mapping[str, Tensor] | None = None) -> Stage:
        """The stage with which a call on such values begins, or on values of which only this is known."""
        given: Mapping[str, Any] = feeds if tensors is None else tensors
        are_arrays = all(isinstance(one, np.ndarray | Tensor) for one in given.values())
        key = tuple((name, one.shape, one.dtype) for name, one in given.items()) if are_arrays else None
        stage = None if key is None else self._stages.get(key)
        if stage is not None:
            return stage
        bound = {name: tensor_of(name, value) if is_array(value) else value for name, value in given.items()}
        known = {**self.graph.constants, **bound}
        stage = Binding(self.graph.nodes, known, self.outputs, self._kept, self._strict).stage()
        if key is not None:
            if len(self._stages) >= _MAX_STAGES:
                self._stages.clear()
            self._stages[key] = stage
        return stage


def _unpickled(program: Program, *options: Any) -> Model:
    """The model of a program whose constants, which a pickle leaves writeable, are no longer that."""
    for array in program.constants.values():
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return Model(program, *options)
