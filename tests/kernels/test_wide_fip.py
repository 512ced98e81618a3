"""The tile of AVX-512's fast inner products, whose source is the same, on machines that have no AVX-512."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
KERNELS = HERE.parents[1] / "fastconv" / "_kernels" / "csrc"


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler")
def test_tiles_of_eleven_pixels_and_vectors_of_64_bytes(tmp_path):
    flags = ["-std=gnu11", "-O0", "-w", "-ffp-contract=off"]
    command = ["cc", *flags, f"-I{KERNELS}", HERE / "wide_fip.c", "-o", tmp_path / "wide", "-lm"]
    made = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    ran = subprocess.run([str(tmp_path / "wide")], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")
