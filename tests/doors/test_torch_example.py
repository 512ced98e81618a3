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
    assert (
        printed("-c", program).splitlines() == ["fastconv.torch runs modules of PyTorch: pip install 'torch>=2.13'"] * 3
    )


def test_pytorch_is_imported_when_it_is_used():
    assert printed("-c", "import sys, fastconv.torch as ft; ft.counts(); print('torch' in sys.modules)") == "False\n"


def test_without_the_onnx_library():
    """Which the extra of PyTorch does not bring: the translations that both doors have need none."""
    program = """
import sys
sys.modules["onnx"] = None
import torch, fastconv.torch
layers = torch.nn.Conv2d(3, 4, 3), torch.nn.GroupNorm(2, 4), torch.nn.Upsample(scale_factor=2)
module, x = torch.nn.Sequential(*layers).eval(), torch.ones(1, 3, 8, 8)
with torch.no_grad():
    torch.compile(module, backend="fastconv")(x)
    fastconv.torch.convert(module, x)(x)
print(fastconv.torch.counts().plans)
"""
    assert printed("-c", program) == "2\n"
