"""The program in examples/ that compiles a module, run as its users run it; the import of PyTorch, which comes late."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def printed(*command):
    result = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_module_is_compiled():
    told = printed("examples/compile_torch.py", "--size", "32", "--seconds", "0")
    errors = [float(error) for error in re.findall(r"^(?:eager|compiled|converted) .* by (\S+)$", told, re.M)]
    assert len(errors) == 3
    assert max(errors) < 1e-4
    assert re.search(r"^Counts\(graphs=2, calls=\d+, left=0, plans=\d+, operators=0\)$", told, re.M)


def test_without_pytorch():
    program = """
import sys
sys.modules["torch"] = None
import fastconv.torch as door
for use in lambda: door.convert(None, None), lambda: door.backend(None, []), lambda: door.Converted:
    try:
        use()
    except ImportError as error:
        print(error)
"""
    assert printed("-c", program).splitlines() == ["fastconv.torch runs modules of PyTorch: pip install torch"] * 3


def test_pytorch_is_imported_when_it_is_used():
    assert printed("-c", "import sys, fastconv.torch as ft; ft.counts(); print('torch' in sys.modules)") == "False\n"
