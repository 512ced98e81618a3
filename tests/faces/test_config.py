"""What get_config and show_config say is true."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import scipy

import fastconv
from fastconv._kernels import cpu


def test_the_configuration_is_true():
    config = fastconv.get_config()
    assert config["numpy"] == np.__version__
    assert config["scipy"] == scipy.__version__
    assert config["python"] == sys.version.split()[0]
    assert config["isas_compiled"] == cpu.compiled()
    assert config["isas_detected"] == cpu.available()
    assert config["isa"] in config["isas_detected"]
    assert config["threads"] >= 1
    assert config["openmp"] in (True, False)
    assert config["compiler"]
    assert config["baseline"]
    assert config["blas"]


def test_the_configuration_is_a_new_dict_each_time():
    fastconv.get_config()["isas_compiled"].clear()
    fastconv.get_config().clear()
    assert fastconv.get_config()["isas_compiled"]


def test_show_config_prints_all_of_it(capsys):
    fastconv.show_config()
    printed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    config = fastconv.get_config()
    assert printed.keys() == config.keys()
    for name in ("openmp", "fip"):
        assert printed.pop(name).startswith("yes" if config.pop(name) else "no")
    for name, value in config.items():
        assert printed[name] == (", ".join(value) if isinstance(value, list) else str(value))


def test_the_environment_says_whether_auto_takes_fast_inner_products(run_python):
    """They need 64 channels, of a group, in and out and 25 pixels of an image, whatever the batch."""
    code = """
        import numpy as np, fastconv

        def taken(x_shape, k, groups=1, **options):
            weight = np.ones((1, 1, x_shape[-1] // groups, k), np.float32)
            return fastconv.Conv2d(weight, groups=groups, **options).describe(x_shape).algorithm

        print(fastconv.get_config()["fip"])
        print(taken((14, 14, 256), 256), taken((5, 5, 512), 256, groups=2), taken((14, 14, 256), 256, stride=2))
        print(taken((14, 14, 48), 256), taken((14, 14, 256), 48), taken((64, 4, 6, 256), 256),
              taken((14, 14, 256), 256, accuracy="componentwise"))
        """
    for fip, said in (("0", "direct"), ("1", "fip")):
        printed = run_python("-c", textwrap.dedent(code), FASTCONV_FIP=fip).splitlines()
        assert printed == [str(fip == "1"), " ".join([said] * 3), " ".join(["direct"] * 4)]


def test_a_wrong_word_on_fast_inner_products(run_python):
    code = """
        try:
            import fastconv
        except ValueError as error:
            print(error)
    """
    assert run_python("-c", textwrap.dedent(code), FASTCONV_FIP="yes").strip() == "FASTCONV_FIP must be 0 or 1, got yes"


def test_the_layer_of_threads_is_chosen_when_the_package_is_imported(run_python, threading):
    code = """
        import os, fastconv
        print(fastconv.get_config()["threading"])
        os.environ["FASTCONV_THREADING"] = "none"
        fastconv.show_config()
    """
    first, *rest = run_python("-c", textwrap.dedent(code), FASTCONV_THREADING=threading).splitlines()
    assert first == threading
    assert f"threading      {threading}" in rest


def test_the_layer_by_default_is_the_pool(run_python):
    code = "import fastconv; print(fastconv.get_config()['threading'])"
    assert run_python("-c", code) == run_python("-c", code, FASTCONV_THREADING="") == "pool\n"


def test_a_layer_that_there_is_not_is_an_error(run_python):
    code = """
        try:
            import fastconv
        except ValueError as error:
            print(error)
    """
    layers = "pool and openmp" if fastconv.get_config()["openmp"] else "pool"
    said = run_python("-c", textwrap.dedent(code), FASTCONV_THREADING="tbb")
    assert said == f"FASTCONV_THREADING=tbb: this build has {layers}\n"


def test_the_environment_shows_in_the_configuration(run_python):
    code = "import fastconv; config = fastconv.get_config(); print(config['isa'], config['threads'])"
    assert run_python("-c", code, FASTCONV_ISA="scalar", FASTCONV_NUM_THREADS="3").split() == ["scalar", "3"]


def test_threads_are_asked_for_until_the_first_use(run_python):
    """What OpenMP's own limit is at the import is no wish: it may be a limit of somebody's that is lifted later."""
    code = """
        import os, fastconv
        os.environ["OMP_NUM_THREADS"] = "2"
        import numpy as np
        print(fastconv.Conv2d(np.ones((1, 1, 4, 4), np.float32)).num_threads)
    """
    assert run_python("-c", textwrap.dedent(code), OMP_NUM_THREADS="1") == "2\n"


def test_a_folder_of_its_name_does_not_hide_the_package(tmp_path):
    """Python starts beside a clone: the clone's folder is called fastconv too."""
    (tmp_path / "fastconv").mkdir()
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = "import fastconv; fastconv.Conv2d"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stderr}\nIf the installation is older than pyproject.toml, install again."


def test_a_source_tree_that_is_not_built_is_told_in_one_error(tmp_path):
    shutil.copytree(Path(fastconv.__file__).parent, tmp_path / "fastconv", ignore=shutil.ignore_patterns("*.so"))
    done = subprocess.run(
        [sys.executable, "-c", "import fastconv"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert done.stderr.count("Traceback") == 1
    assert "ImportError: the compiled part of fastconv is not here: in its source tree, build it" in done.stderr


def test_everything_public_is_documented_and_listed():
    for name in fastconv.__all__:
        assert getattr(fastconv, name).__doc__
    assert list(fastconv.__all__) == sorted(fastconv.__all__)
    assert fastconv.__version__.count(".") == 2
    assert set(dir(fastconv)) == {*fastconv.__all__, "__version__"}


def test_what_is_imported_late_is_there_all_the_same(run_python):
    code = """
        import sys, fastconv
        assert set(fastconv.__all__) <= set(dir(fastconv))
        late = {"blocks", "cost", "networks", "reference", "_planning.machine", "_config"}
        assert not late & {name.removeprefix("fastconv.") for name in sys.modules}
        assert fastconv.cost.conv2d and fastconv.networks.nin and fastconv.reference.fire and fastconv.Fire
        from fastconv import *
        assert Fire is fastconv.Fire and peak is fastconv.peak and networks is fastconv.networks
        assert not hasattr(fastconv, "no_such_name")
    """
    run_python("-c", textwrap.dedent(code))
