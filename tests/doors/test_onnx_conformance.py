"""The onnx library's own tests: all pass but those that are listed here, each with its reason."""

import re
from collections import Counter
from pathlib import Path

import fastconv
from fastconv.onnx import conformance
from fastconv.onnx._table import TRANSLATIONS

# What is refused, by a part of the reason.
REFUSED = {
    "control flow is not supported": "Loop, Scan, SequenceMap, and functions whose bodies have them",
    "it is an operator of training": "Adam and its like",
    "training_mode is set": "batch norms and dropouts of training",
    "it is an operator of quantised networks": "quantised networks",
    "does not know its domain 'ai.onnx.preview'": "operators that are no part of the standard yet",
    "the model has opset 1,": "opsets before 7",
}
# Random, with no values that one could compare; float16, whose sums are rounded once here and often there.
FAILED = r"test_bernoulli.*|test_causal_conv_with_state_silu_fp16_expanded|test_attention_4d_causal_fp16_expanded"


def test_all_node_tests():
    found = [*conformance.outcomes(set())]
    assert len(found) > 1500
    page = (Path(fastconv.__file__).parents[1] / "docs" / "onnx.md").read_text("utf-8")
    for operator in TRANSLATIONS:
        outcomes = Counter(one.outcome for one in found if one.operator == operator)
        row = f"| {operator} | {outcomes['passed']} | {outcomes['refused']} | {outcomes['failed']} |"
        assert row in page or not outcomes, "the page has another table"
    for one in found:
        if one.outcome == "refused":
            assert any(reason in one.reason for reason in REFUSED), one
        elif one.outcome == "failed":
            assert re.fullmatch(FAILED, one.test), one


def test_table(capsys):
    assert conformance.main(["Conv", "MaxPool", "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.match(r"\| Conv +\| +6 \| +0 \| +0 \|", lines[2])
    assert lines[-1].endswith("passed, 0 refused, 0 failed")
