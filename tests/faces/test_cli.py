"""The command line."""

import os
import random
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


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--kernel", "0", "--kernel must be at least 1, got 0"),
        ("--kernel", "3,-1", "--kernel must be at least 1, got -1"),
        ("--stride", "0,1", "--stride must be at least 1, got 0"),
        ("--dilation", "0", "--dilation must be at least 1, got 0"),
        ("--padding", "-1", "--padding must be at least 0, got -1"),
        ("--batch", "-1", "--batch must be at least 0, got -1"),
        ("--threads", "0", "--threads must be at least 1, got 0"),
        ("--groups", str(10**30), f"--groups must be at most 2147483647, got {10**30}"),
        ("--kernel", str(2**31), f"--kernel must be at most 2147483647, got {2**31}"),
    ],
)
def test_explain_names_the_option_that_is_wrong(option, value, message, capsys):
    assert cli.main(["explain", "9", "9", "8", "8", option, value]) == 2
    assert capsys.readouterr().err == f"fastconv: {message}\n"


@pytest.mark.parametrize("place", range(4))
def test_explain_names_the_size_that_is_wrong(place, capsys):
    for size, message in (("0", "at least 1, got 0"), (str(2**31), f"at most 2147483647, got {2**31}")):
        sizes = ["9", "9", "8", "8"]
        sizes[place] = size
        assert cli.main(["explain", *sizes]) == 2
        assert capsys.readouterr().err == f"fastconv: {'HWCK'[place]} must be {message}\n"


def test_odd_command_lines_end_in_one_message(capsys):
    """300 of odd numbers and words; numbers between, whose arrays a machine may or may not hold, are left out."""
    rng = random.Random(0)
    numbers = ["0", "1", "2", "3", "7", "9", "-1", "2147483648", str(10**20), "1e3", "", "x", "9" * 5000]
    options = ["kernel", "stride", "padding", "dilation", "groups", "batch", "threads", "layout", "algorithm"]
    words = [*numbers[:6], "0,1", "3,3", "1,2,3", "same", "valid", "NCHW", "NHWC", "direct", "blas", "winograd", "\x1b"]
    ended = {cli.main(["explain", "65536", "65536", "1", "1", "--algorithm", "blas"])}
    capsys.readouterr()
    for _ in range(300):
        sizes = [rng.choice(numbers[1:6] if rng.random() < 0.9 else numbers) for _ in range(4)]
        chosen = [f"--{option}={rng.choice(words + numbers)}" for option in rng.sample(options, rng.randrange(4))]
        try:
            ended.add(cli.main(["explain", *sizes, *chosen]))
        except SystemExit as exit:  # of argparse, which prints the usage too
            ended.add(exit.code)
            assert "error: " in capsys.readouterr().err.splitlines()[-1]
        else:
            assert len(capsys.readouterr().err.splitlines()) <= 1
    assert {0, 2} <= ended <= {0, 1, 2}


def test_version(capsys):
    with pytest.raises(SystemExit) as exit:
        cli.main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out == f"fastconv {fastconv.__version__}\n"


def test_a_wrong_padding_is_told_all_forms(capsys):
    with pytest.raises(SystemExit):
        cli.main(["explain", "9", "9", "8", "8", "--padding", "some"])
    assert "two with a comma between them, same or valid, got 'some'" in capsys.readouterr().err


def run_info(stdout=subprocess.PIPE, arguments=("info",), **variables):
    environment = _environment() | variables
    command = [sys.executable, "-m", "fastconv", *arguments]
    return subprocess.run(command, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True)


def _environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(fastconv.__file__).parents[1]), *sys.path])}


def test_a_reader_that_leaves_is_no_error():
    read, write = os.pipe()
    os.close(read)
    done = run_info(stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_an_interrupt_is_no_traceback(capsys):
    def run():
        print("begun")
        raise KeyboardInterrupt

    assert cli.in_one_line("fastconv", run) == 130
    assert capsys.readouterr() == ("begun\n", "")


needs_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")


@needs_a_full_disk
@pytest.mark.parametrize("command", ["info", "explain 9 9 8 8", "--version"])
def test_a_full_disk_is_one_line(command):
    with open("/dev/full", "w") as full:
        done = run_info(stdout=full, arguments=command.split(), PYTHONUNBUFFERED="")
    assert done.returncode == 1
    assert re.fullmatch(r"fastconv[ a-z]*: [^\n]*No space left on device\n", done.stderr)


def test_closed_streams_are_no_error(run_python):
    """What has no standard output or error computes all the same, and has the exit code."""
    code = "import os, sys; os.close(int(sys.argv[1])); os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
    run_python("-c", code, 1, "-m", "fastconv", "info")
    run_python("-c", code, 2, "-m", "fastconv", "info")


@needs_a_full_disk
def test_what_cannot_be_said_leaves_the_exit_code():
    code = "import sys; from fastconv import cli; sys.exit(cli.main(['explain', '9', '9', '8', '8', '--kernel', '0']))"
    with open("/dev/full", "w") as full:
        assert subprocess.run([sys.executable, "-c", code], stderr=full, env=_environment()).returncode == 2


def test_a_wrong_environment_is_told_in_the_last_line():
    for variable, code in (("FASTCONV_ISA", 1), ("FASTCONV_THREADING", 1), ("FASTCONV_NUM_THREADS", 2)):
        done = run_info(**{variable: "sse"})
        assert done.returncode == code
        assert re.search(rf"{variable}.*\bsse\b.*\n$", done.stderr)


def test_info(capsys):
    assert cli.main(["info"]) == 0
    assert "isa" in capsys.readouterr().out
