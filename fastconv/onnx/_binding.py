"""From nodes and the shapes of what they read to steps.

Nodes whose inputs are all constants, as those of the arithmetic on shapes are once a shape is bound, are computed at
once. The others become nodes of segments where the table of translations has them, and steps by NumPy where not. A
segment of level n runs after the NumPy steps of level n − 1, which run after the segments of that level.

A `Stage` is the result. It ends before the model does where the size of a result, or what an If chooses, depends on
values that are known only in a run.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastconv.onnx import _budget
from fastconv.onnx._attending import attending
from fastconv.onnx._attention import expanded
from fastconv.onnx._fusion import fused, resolved
from fastconv.onnx._in_numpy.prepared import PREPARED
from fastconv.onnx._maps import Maps
from fastconv.onnx._places import places
from fastconv.onnx._products import Products
from fastconv.onnx._program import Node, Program
from fastconv.onnx._recurrent import recurrent
from fastconv.onnx._sampling import sampling
from fastconv.onnx._segments import Kept, Segment
from fastconv.onnx._softmax import softmax
from fastconv.onnx._stage import Stage
from fastconv.onnx._steps import Evaluate, NativeStep, NodeStep, Step
from fastconv.onnx._table import LATE, PARAMETERS, REFUSED, TRANSLATIONS, VALUES, is_random
from fastconv.onnx._values import Tensor, is_array, tensor_of
from fastconv.onnx._views import View, function

_NO_CODE = "fastconv has no code for this operator, and the model was loaded with strict=True"


def check_operators(program: Program, is_strict: bool) -> None:
    """ValueError where a node reads values of a call and is refused whatever the shapes, as one that nobody has code
    for and, where this is strict, one that needs onnx.reference.
    """
    from fastconv.onnx._evaluation import check_code, evaluation

    values = {one.name for one in program.inputs}
    for node in program.nodes:
        if values.isdisjoint(node.inputs) and not is_random(node):
            continue
        with node.named():
            _check_refused(node)
            is_known = node.kind == "If"
            is_known |= node.domain == "" and (node.kind in TRANSLATIONS or node.kind == "Attention")
            if is_strict and not is_known and evaluation(node)[0] == "onnx.reference":
                raise ValueError(_NO_CODE)
            if not is_known:
                check_code(node)
        if node.kind not in ("Shape", "Size"):
            values.update(name for name in node.outputs if name)


def _check_refused(node: Node) -> None:
    if node.kind in REFUSED:
        raise ValueError(f"{REFUSED[node.kind]}, which fastconv does not support")


class Binding(Maps):
    """Binds nodes; `known` has an array for each constant and a `Tensor` for each value of a run."""

    def __init__(
        self, nodes: tuple[Node, ...], known: Mapping[str, Any], outputs: Iterable[str], kept: Kept, is_strict: bool
    ) -> None:
        super().__init__(kept)
        self._nodes, self.known, self.outputs = nodes, dict(known), tuple(outputs)
        self.is_strict = is_strict
        self._steps: list[NodeStep] = []
        self._viewed: set[str] = set()  # the views that steps make arrays of
        self.last: Node | None = None  # where the stage ends before the model does
        self.error: ValueError | None = None  # that of the node on zeros
        self.condition: str | None = None  # the tensor that decides what an If chooses, where the stage ends before one

    def again(self, nodes: tuple[Node, ...], known: Mapping[str, Any]) -> Stage:
        """The stage of other nodes of the same model."""
        return Binding(nodes, known, self.outputs, self.kept, self.is_strict).stage()

    def stage(self) -> Stage:
        """Bind all nodes, or those up to one whose result has a size that is not known, or up to an If that chooses by
        a value of a call.
        """
        rest = deque(fused(self._nodes, self.outputs))
        while rest:
            node = rest.popleft()
            with node.named():
                if node.kind == "If":
                    chosen = self._chosen(node)
                    rest.extendleft(reversed(chosen))
                    is_known = chosen != (node,)
                elif parts := self._parts(node):
                    rest.extendleft(reversed(parts))
                    is_known = True
                else:
                    is_known = self._bind(node)
            if not is_known:
                self.last = node
                break
        last = {*self.outputs, *(name for node in rest for name in node.inputs)}
        live = {self._name(value) for name in last if isinstance(value := self.known.get(name), Tensor)}
        levels = [self._native(segment) for segment in sorted(self._segments.values(), key=lambda one: -one.level)]
        steps: list[Step] = [*(step for step in levels if step is not None), *self._steps]
        steps.sort(key=lambda step: (step.level, isinstance(step, NodeStep)))
        return Stage(self, steps, tuple(rest), live)

    def _chosen(self, node: Node) -> tuple[Node, ...]:
        """The nodes that an If stands for, itself where that depends on a value of a call."""
        condition = self.known[node.inputs[0]]
        if isinstance(condition, Tensor):
            self.condition = self._name(condition)
            return (node,)
        if not isinstance(condition, np.ndarray) or condition.dtype != bool or condition.size != 1:
            raise ValueError(f"its condition must be one bool, got {condition!r}")
        branch = node.attributes["then_branch" if condition.item() else "else_branch"]
        pairs = zip(branch.outputs, node.outputs, strict=True)
        named = (Node(node.label, "Identity", "", node.version, (own,), (name,), {}) for own, name in pairs if name)
        return (*fused(branch.nodes, branch.outputs), *named)

    def _parts(self, node: Node) -> list[Node]:
        """The nodes that an Attention stands for, where there is code for them, or fused ones; else none."""
        if parts := resolved(node, self.known):
            return parts
        is_in_run = any(isinstance(self.known.get(name), Tensor) for name in node.inputs)
        found = expanded(node, self.known) if (node.kind, node.domain) == ("Attention", "") and is_in_run else None
        self.known.update(found[1] if found else {})
        return fused(found[0], node.outputs) if found else []

    def _native(self, segment: Segment) -> NativeStep | None:
        graph = segment.graph()  # after those of higher levels have said what they read
        if not segment.outputs:
            return None
        return NativeStep(segment, None if graph is None else self.kept.plan(graph), self.kept.num_threads)

    def _bind(self, node: Node) -> bool:
        """Take a node in; returns whether the shapes of its results are known."""
        inputs = [self.known[name] if name else None for name in node.inputs]
        _budget.check(node, inputs, self.kept.max_bytes)
        if not any(isinstance(one, Tensor) for one in inputs) and not is_random(node):
            results: Any = self._evaluated(node, inputs)
        else:
            results = self._translated(node, inputs)
            if results is None:
                return self._by_numpy(node, inputs)
        self.known.update((name, one) for name, one in zip(node.outputs, results, strict=False) if name)
        return True

    def _evaluated(self, node: Node, inputs: list[Any]) -> list[Any]:
        from fastconv.onnx._evaluation import evaluation

        with np.errstate(all="ignore"):
            results = evaluation(node)[1](node, *inputs)
        for one in filter(is_array, results):
            _budget.check_size(one.shape, one.dtype.itemsize, self.kept.max_bytes)
            one.flags.writeable = False  # a result of the model that is a view of it is copied
        return results

    def _translated(self, node: Node, inputs: list[Any]) -> list[Any] | None:
        translate = TRANSLATIONS.get(node.kind) if node.domain == "" else None
        if translate is None or not node.outputs[0] or self._late(node, inputs):
            return None
        result = function(self, node, translate, inputs)
        if result is None:
            result = translate(self, node, *inputs)
        return [result] if isinstance(result, Tensor | np.ndarray) else result

    def _name(self, value: Tensor) -> str:
        if isinstance(value, View) and value.name not in self._viewed:
            self._viewed.add(value.name)
            self._steps.append(value.step(self._name(value.base)))
        return super()._name(value)

    def _late(self, node: Node, inputs: list[Any]) -> bool:
        """Whether it has a translation, but for its parameters, which are known only in a run."""
        parameters = PARAMETERS.get(node.kind, ()) if node.domain == "" else ()
        return any(isinstance(inputs[i], Tensor) for i in parameters if i < len(inputs))

    def _code_of(self, node: Node, inputs: list[Any]) -> tuple[str, Evaluate]:
        """(how it is computed, by what) of a node that is in no graph."""
        from fastconv.onnx._evaluation import evaluation

        _check_refused(node)
        threads = self.kept.num_threads
        layer: Any = recurrent(node, inputs, self.kept) or attending(node, threads)
        for other in softmax, sampling, places:
            layer = layer or other(node, inputs, threads)
        if layer is not None:
            return "direct", layer
        if node.kind in LATE and self._late(node, inputs):
            return "late", _late(self.kept, self.is_strict)
        how, evaluate = evaluation(node)
        if node.kind == "MatMul" and node.domain == "":
            return "blas", Products(threads, evaluate)
        if how == "onnx.reference" and self.is_strict:
            raise ValueError(_NO_CODE)
        return how, evaluate

    def _by_numpy(self, node: Node, inputs: list[Any]) -> bool:
        how, evaluate = self._code_of(node, inputs)
        level = max((one.level for one in inputs if isinstance(one, Tensor)), default=-1)
        names = [self._name(one) if isinstance(one, Tensor) else one for one in inputs]
        values = VALUES.get(node.kind, ())
        is_late = any(isinstance(one, Tensor) and (values is True or i in values) for i, one in enumerate(inputs))
        step = NodeStep(node, how, evaluate, names, level, self.kept.max_bytes if is_late else 0)
        self._steps.append(step)
        if is_late:
            return self._unknown(node)
        trial = {one.name: np.zeros(one.shape, one.dtype) for one in inputs if isinstance(one, Tensor)}
        try:
            with np.errstate(all="ignore"):
                step.run(trial)
        except ValueError as error:  # zeros may be no input that it takes
            self.error = error
            return self._unknown(node)
        results = {name: trial[name] for name in node.outputs if name}
        if not all(is_array(one) for one in results.values()):
            return self._unknown(node)
        for name, array in results.items():
            self.known[name] = Tensor(name, array.shape, array.dtype, level)
        self._prepare(step, inputs, results)
        return True

    @staticmethod
    def _prepare(step: NodeStep, inputs: list[Any], results: dict[str, Any]) -> None:
        """Have a step compute once what constants say."""
        node = step.node
        if node.domain or node.kind not in PREPARED or any(isinstance(one, Tensor) for one in inputs[1:]):
            return
        if "" in node.outputs:
            return
        x = inputs[0]
        made = PREPARED[node.kind](node, x.shape, results[node.outputs[0]].shape, *inputs[1:])
        if made is not None and x.dtype.kind != "V":  # of which NumPy knows no arithmetic of its own
            step.becomes(made)

    def _unknown(self, node: Node) -> bool:
        self.known.update((name, Tensor(name, (), np.dtype(object))) for name in node.outputs if name)
        return False


def _late(kept: Kept, is_strict: bool) -> Evaluate:
    """What evaluates a node whose parameters are known only in a run, as one whose parameters are constants."""

    def evaluate(node: Node, *inputs: Any) -> list[Any]:
        known: dict[str, Any] = {}
        values = dict[str, Any]()
        for i, (name, value) in enumerate(zip(node.inputs, inputs, strict=False)):
            if name and i in PARAMETERS[node.kind]:
                known[name] = value
            elif name and name not in known:
                known[name], values[name] = tensor_of(name, value), value
        outputs = [name for name in node.outputs if name]
        fresh = Kept(kept.num_threads, kept.accuracy, kept.max_bytes)
        binding = Binding((node,), known, outputs, fresh, is_strict)
        stage = binding.stage()
        stage.run(values)
        results = {name: binding.known[name] for name in outputs}
        by_name = {name: values[one.name] if hasattr(one, "name") else one for name, one in results.items()}
        return [by_name.get(name) for name in node.outputs]

    return evaluate
