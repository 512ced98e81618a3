"""The command line, but for `report`, which test_report.py has."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastconv
from fastconv import cli


def test_explain(capsys):
    assert cli.main(["explain", "28", "28", "192", "32", "--kernel", "5", "--padding", "2"]) == 0
    printed = capsys.readouterr().out
    assert "120,422,400" in printed
    assert "winograd" in printed
    assert "gflops" not in printed
    assert cli.main(["explain", "9", "9", "8", "8", "--measure"]) == 0
    measured = capsys.readouterr().out
    assert re.search(r"^milliseconds +[\d.]+$", measured, re.MULTILINE)
    assert "gflops" in measured
    assert cli.main(["explain", "3", "3", "8", "8", "--kernel", "5,1"]) == 2
    assert "weight spans 5 pixels of height" in capsys.readouterr().err


def test_explain_measures_nothing_of_no_images(capsys):
    assert cli.main(["explain", "9", "9", "8", "8", "--batch", "0", "--measure"]) == 0
    assert not re.search("gflops|milliseconds|share", capsys.readouterr().out)


def test_explain_in_layout_nchw(capsys):
    shape = ["explain", "28", "14", "192", "32", "--layout", "NCHW"]
    assert cli.main([*shape, "--kernel", "5", "--groups", "2"]) == 0
    printed = capsys.readouterr().out
    assert f"{24 * 10 * 25 * 96 * 32:,}" in printed
    assert "NCHW ↔ NHWC" in printed
    assert cli.main(shape) == 0
    assert re.search("layout conversion +none", capsys.readouterr().out)
    assert cli.main(["explain", "9", "9", "8", "8", "--layout", "CHWN"]) == 2
    assert "layout must be one of" in capsys.readouterr().err


def test_explain_says_of_groups_what_they_must_divide(capsys):
    assert cli.main(["explain", "9", "9", "8", "12", "--groups", "4"]) == 0
    for groups, message in [
        ("3", "groups must divide the 8 input and the 12 output channels, got 3"),
        ("8", "groups must divide the 8 input and the 12 output channels, got 8"),
        ("0", "groups must be at least 1, got 0"),
    ]:
        assert cli.main(["explain", "9", "9", "8", "12", "--groups", groups]) == 2
        assert message in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as exit:
        cli.main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out == f"fastconv {fastconv.__version__}\n"


def test_a_wrong_padding_is_told_all_forms(capsys):
    with pytest.raises(SystemExit):
        cli.main(["explain", "9", "9", "8", "8", "--padding", "some"])
    assert "two with a comma between them, same or valid, got 'some'" in capsys.readouterr().err


def run_info(stdout=subprocess.PIPE, **variables):
    code = "import sys, fastconv_command; sys.argv = ['fastconv', 'info']; sys.exit(fastconv_command.main())"
    path = os.pathsep.join([str(Path(fastconv.__file__).parents[1]), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, **variables}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True)


def test_a_reader_that_leaves_is_no_error():
    read, write = os.pipe()
    os.close(read)
    done = run_info(stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("variable", ["FASTCONV_ISA", "FASTCONV_NUM_THREADS"])
def test_a_wrong_environment_is_one_line(variable):
    done = run_info(**{variable: "sse"})
    assert done.returncode == 2
    assert re.fullmatch(rf"fastconv.*: {variable}.*\bsse\b.*\n", done.stderr)


def test_info(capsys):
    assert cli.main(["info"]) == 0
    assert "isa" in capsys.readouterr().out
