"""The instruction sets: how one is chosen, and the kernels' tests on every one that this machine runs.

The whole suite runs on the active set; the others run the tests of the kernels in a process each. Blocks and published
layers have no kernels of their own, nor any way through the loops that test_conv2d.py does not take.
"""

import itertools
import os
import textwrap
from pathlib import Path

import numpy as np
import pytest

from fastconv._kernels import cpu

TESTS = Path(__file__).parents[1]
KERNEL_TESTS = [
    "test_activations",
    "test_channels",
    "test_conv2d",
    "test_elementwise",
    "test_few_channels",
    "test_fip",
    "test_winograd",
    "test_winograd_range",
    "test_normalization",
    "test_pack",
    "test_pointwise",
    "test_pool",
    "test_same_bits",
    "test_shaping",
    "test_sparse_rows",
]
OTHERS = [isa for isa in cpu.available() if isa != cpu.active()]
ACTIVE = "import fastconv; print(fastconv.get_config()['isa'])"

# Not in the children: each tests the set that its environment forces, and starts no children of its own.
pytestmark = pytest.mark.skipif("FASTCONV_ISA" in os.environ, reason="the instruction set is forced")


@pytest.mark.parametrize("isa", OTHERS)
def test_the_kernels_on_another_instruction_set(run_python, isa):
    """With a quarter of the random cases."""
    files = [path for path in TESTS.rglob("test_*.py") if path.stem in KERNEL_TESTS]
    assert len(files) == len(KERNEL_TESTS)
    options = ["-q", "-x", "-p", "no:cacheprovider", f"--rootdir={TESTS.parent}", "--hypothesis-profile=few"]
    # Threads that wait for a CPU must not hold another.
    output = run_python("-m", "pytest", *options, *files, FASTCONV_ISA=isa, OMP_WAIT_POLICY="passive", timeout=600)
    assert " passed" in output


def test_poolings_have_the_same_bits_on_every_instruction_set(run_python):
    code = """
        import hashlib

        import numpy as np

        import fastconv

        rng, bits = np.random.default_rng(0), hashlib.sha256()
        for channels in 5, 16, 67:
            x = rng.choice([0.0, -0.0, 1 / 3, 1e-5, -2], (9, 10, channels))
            x[3, 4, ::2] = np.nan
            for dtype in "float32", "float64":
                for options in {"stride": 1, "padding": 1}, {"stride": 2}:
                    for pool in fastconv.max_pool2d, fastconv.avg_pool2d:
                        bits.update(pool(x.astype(dtype), 3, **options).tobytes())
        print(bits.hexdigest())
    """
    assert len({run_python("-c", textwrap.dedent(code), FASTCONV_ISA=isa) for isa in cpu.available()}) == 1


@pytest.mark.parametrize("isa", cpu.available())
def test_the_environment_forces_an_instruction_set(run_python, isa):
    assert run_python("-c", ACTIVE, FASTCONV_ISA=isa).strip() == isa


def test_the_widest_set_is_the_default(run_python):
    assert run_python("-c", ACTIVE).strip() == cpu.available()[-1] == cpu.active()
    assert run_python("-c", ACTIVE, FASTCONV_ISA="").strip() == cpu.active()


def test_the_portable_kernels_are_always_there():
    assert cpu.available()[0] == "scalar"
    assert set(cpu.available()) <= set(cpu.compiled())


@pytest.mark.parametrize("isa", ["sse9", "AVX2", "neon ", *set(cpu.compiled()) - set(cpu.available())])
def test_a_set_that_is_unknown_or_that_the_cpu_lacks_is_an_error(run_python, isa):
    code = """
        try:
            import fastconv
        except (ValueError, ImportError) as error:
            print(error)
    """
    message = run_python("-c", textwrap.dedent(code), FASTCONV_ISA=isa)
    assert f"FASTCONV_ISA={isa}" in message
    assert all(name in message for name in cpu.available())


def test_a_set_that_is_compiled_but_that_the_cpu_lacks_is_an_error(monkeypatch):
    monkeypatch.setattr(cpu, "available", lambda: ["scalar"])
    for isa in cpu.compiled()[1:]:
        with pytest.raises(ValueError, match=f"FASTCONV_ISA={isa}"):
            cpu._choose(isa, None)
    assert cpu.active() == "scalar" if not OTHERS else True


def test_the_instruction_sets_agree(run_python, tmp_path):
    code = """
        import sys
        import numpy as np, fastconv
        rng = np.random.default_rng(0)
        results = []
        for dtype in ("float32", "float64"):
            x, weight = rng.standard_normal((19, 17, 35), dtype), rng.standard_normal((3, 3, 35, 37), dtype)
            results += [fastconv.conv2d(x, weight, padding=1), fastconv.conv2d(x, weight, stride=2)]
            magnitude = fastconv.conv2d(abs(x), abs(weight), padding=1), fastconv.conv2d(abs(x), abs(weight), stride=2)
            results += [2 * 35 * 9 * np.finfo(dtype).eps * bound for bound in magnitude]
        np.savez(sys.argv[1], *results)
    """
    results = {}
    for isa in cpu.available():
        run_python("-c", textwrap.dedent(code), tmp_path / f"{isa}.npz", FASTCONV_ISA=isa)
        results[isa] = list(np.load(tmp_path / f"{isa}.npz").values())
    for one, other in itertools.combinations(results.values(), 2):
        for i in (0, 1, 4, 5):
            assert (np.abs(one[i] - other[i]) <= one[i + 2]).all()


def test_a_pickled_plan_is_packed_anew_for_another_instruction_set(run_python, tmp_path):
    save = """
        import pickle, sys
        import numpy as np, fastconv
        plan = fastconv.Conv2d(np.arange(3 * 3 * 5 * 37, dtype=np.float32).reshape(3, 3, 5, 37))
        plan(np.ones((4, 4, 5), np.float32))
        pickle.dump(plan, open(sys.argv[1], "wb"))
    """
    load = """
        import pickle, sys
        import numpy as np, fastconv
        plan = pickle.load(open(sys.argv[1], "rb"))
        print(plan.describe((4, 4, 5)).isa, plan(np.ones((4, 4, 5), np.float32)).sum())
    """
    first, *_, last = cpu.available()
    run_python("-c", textwrap.dedent(save), tmp_path / "plan", FASTCONV_ISA=first)
    isa, total = run_python("-c", textwrap.dedent(load), tmp_path / "plan", FASTCONV_ISA=last).split()
    assert isa == last
    assert float(total) == 4 * sum(range(3 * 3 * 5 * 37))
