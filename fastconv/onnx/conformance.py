"""What passes of the onnx library's own tests of backends: `python -m fastconv.onnx.conformance [OPERATOR ...]`.

It prints a line for each operator, and each test that does not pass with its reason. A test of a function's body counts
for the operator that it expands.
"""

import argparse
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastconv.onnx import needs_onnx

try:
    needs_onnx()
except ImportError as error:
    if __name__ == "__main__":
        sys.exit(f"error: {error}")
    raise

import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner

from fastconv.onnx._backend import Backend

KINDS = ("node", "simple")  # the others are of opset 6


@dataclass(frozen=True)
class Outcome:
    """How a test ended: "passed", "refused" with the reason of the ValueError, or "failed"."""

    test: str
    operator: str
    outcome: str
    reason: str = ""


def outcomes(operators: set[str], kinds: tuple[str, ...] = KINDS) -> Iterator[Outcome]:
    """The outcome of each test of these operators, of all tests if there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in kinds:
            for case in load_model_tests(kind=kind):
                operator = _operator(case, kind)
                if not operators or operator in operators:
                    yield _outcome(case, operator)


def _operator(case: Any, kind: str) -> str:
    """The operator that a test is for, that of a network "network"."""
    if kind != "node":
        return kind
    nodes = case.model.graph.node
    if len(nodes) == 1 and "_expanded" not in case.name:
        return str(nodes[0].op_type)
    return f"{case.name.split('_expanded')[0].removeprefix('test_').split('_')[0]} (expanded)"


def _outcome(case: Any, operator: str) -> Outcome:
    try:
        model = case.model if case.model_dir is None else onnx.load(Path(case.model_dir, "model.onnx"))
        prepared = Backend.prepare(model)
        for inputs, outputs in case.data_sets or _data_sets(case.model_dir, model):
            results = prepared.run(inputs)
            wanted = [numpy_helper.to_array(y) if isinstance(y, onnx.TensorProto) else y for y in outputs]
            Runner.assert_similar_outputs(wanted, results, case.rtol, case.atol)
    except ValueError as error:
        return Outcome(case.name, operator, "refused", str(error))
    except Exception as error:
        return Outcome(case.name, operator, "failed", f"{type(error).__name__}: {error}")
    return Outcome(case.name, operator, "passed")


def _data_sets(folder: str, model: onnx.ModelProto) -> Iterator[tuple[list[Any], list[Any]]]:
    """The inputs and outputs of each folder of a test's data."""
    for data in sorted(Path(folder).glob("test_data_set_*")):
        yield tuple(  # type: ignore[misc]
            [_read(data / f"{what}_{i}.pb") for i in range(len([*data.glob(f"{what}_*.pb")]))]
            for what in ("input", "output")
        )


def _read(path: Path) -> np.ndarray:
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    array: np.ndarray = numpy_helper.to_array(tensor)
    return array


def main(arguments: list[str] | None = None) -> int:
    """Print the table; returns the number of tests that failed."""
    parser = argparse.ArgumentParser(prog="python -m fastconv.onnx.conformance", description=__doc__)
    parser.add_argument("operators", nargs="*", metavar="OPERATOR", help="those to test (all)")
    parser.add_argument("--markdown", action="store_true", help="as a table for the documentation")
    options = parser.parse_args(arguments)
    found = [*outcomes({*options.operators})]
    if missing := {*options.operators} - {one.operator for one in found}:
        parser.error(f"OPERATOR must be one that has tests, got {', '.join(sorted(missing))}")
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in found:
        counts[one.operator][one.outcome] += 1
    between, edge = (" | ", "|") if options.markdown else ("  ", "")
    heads = ["operator", "passed", "refused", "failed"]
    print(f"{edge} {between.join([heads[0].ljust(32), *heads[1:]])} {edge}")
    if options.markdown:
        print("|---|---|---|---|")
    for operator, count in sorted(counts.items()):
        cells = [operator.ljust(32), *(str(count[head]).rjust(len(head)) for head in heads[1:])]
        print(f"{edge} {between.join(cells)} {edge}")
    for outcome in ("refused", "failed"):
        print(f"\n{outcome}:")
        for one in found:
            if one.outcome == outcome:
                print(f"- {one.test}: {one.reason.strip().splitlines()[0][:200] if one.reason.strip() else ''}")
    totals = ", ".join(f"{sum(count[head] for count in counts.values())} {head}" for head in heads[1:])
    print(f"\n{totals}")
    return sum(one.outcome == "failed" for one in found)


if __name__ == "__main__":
    sys.exit(min(main(), 1))
