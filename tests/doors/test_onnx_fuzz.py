"""Damaged models are refused with a ValueError, or run: `fuzz_onnx.py`, for some seconds."""

import re
from pathlib import Path


def test_damaged_models(run_python):
    printed = run_python(Path(__file__).with_name("fuzz_onnx.py"), "--models", 1500, "--seconds", 60)
    ran, refused, wrong = map(int, re.findall(r"(\d+) (?:ran|refused|wrong)", printed))
    assert wrong == 0
    assert ran > 100
    assert refused > 100
