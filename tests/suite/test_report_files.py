"""Result files are outside data: odd ones are passed over by name, and no control character of theirs is printed."""

import copy
import json
import random
import re
import warnings
from dataclasses import replace

import pytest

pytest.importorskip("asv.results")

from asv_run import FACTS, store

from benchmarks import __main__ as suite
from benchmarks.report import data, panels, plots

ESCAPE = "\x1b]0;owned\x07\x1b[31m\x9b2J\u202eevil\ud800\r"
ODD = (
    *(None, True, -1, 0, 3, 10**400, 1e308, -1e-300, float("nan"), float("inf"), 2**63, "", " ", "7", "/0", "²"),
    *([], [[]], [None], {}, {"a": {}}, [1, 2, 3], ["1"] * 40, "x" * 9999),
    *(ESCAPE, "[" * 300, "(1, 2)", "$\\frac{", "_x", "plain/0 3x3"),
)


def result_file(folder):
    (path,) = (path for path in folder.rglob("*.json") if path.name not in ("machine.json", "benchmarks.json"))
    return path


def places(value, path=()):
    """The path of every value in nested lists and objects, by keys and indices."""
    held = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in held:
        yield (*path, key)
        yield from places(inner, (*path, key))


def mutated(stored, rng):
    """A copy with one to three of its values, keys, or of the facts' values replaced, lost or doubled."""
    stored = copy.deepcopy(stored)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        *path, last = rng.choice(list(places(stored)) or [(None,)])
        at = stored
        for key in path:
            at = at[key]
        change = rng.randrange(5)
        if not isinstance(at, (dict, list)):
            continue
        if change == 0:
            del at[last]
        elif change == 1 and isinstance(at, list):
            at.insert(last, rng.choice(at))
        elif change == 2 and isinstance(at, dict):
            at[rng.choice(ODD[13:16]) + last] = at.pop(last)
        else:
            at[last] = rng.choice(ODD)
    return stored


def report(folder, capsys):
    """(exit code, what was printed, what went to stderr)."""
    code = suite.main(["report", "--results", str(folder), "--output", str(folder / "report.html")])
    return code, *capsys.readouterr()


def is_fit_for_a_terminal(printed):
    return all(character.isprintable() or character == "\n" for character in printed)


def with_facts(stored, facts):
    """The result with other facts, as the suite stores them."""
    stored["results"][data.FACTS][1] = [[repr(json.dumps(facts))]]
    return stored


def test_mutated_files_are_read_or_passed_over_by_name(tmp_path, capsys, without_figures):
    """Each of 200 makes a page, or gives one line with its name and exit code 1."""
    folder = store(tmp_path / "results")
    path = result_file(folder)
    good, rng = json.loads(path.read_text("utf-8")), random.Random(0)
    read = 0
    for number in range(200):
        stored = mutated(good, rng) if number % 4 else with_facts(copy.deepcopy(good), mutated(FACTS, rng))
        path.write_text(json.dumps(stored), "utf-8")
        code, printed, errors = report(folder, capsys)
        assert code in (0, 1)
        assert is_fit_for_a_terminal(printed + errors)
        if code:
            assert errors.endswith("`make bench` measures some\n")
            assert len(errors.splitlines()) <= 2
            assert path.name in errors or "passed over" not in errors
        else:
            assert not errors
            assert is_fit_for_a_terminal((folder / "report.html").read_text("utf-8"))
        read += not code
    assert 30 < read < 170


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"\x00\xff\xfe", b"[]", b"null", b"3", b'"text"', b"{}", b"[" * 100_000, b'{"version": 2}'),
        b'{"version": 1, "results": {}}',
        b'{"version": 2, "results": 3, "result_columns": [], "params": {}, "commit_hash": "", "env_name": ""}',
    ],
)
def test_a_damaged_file_is_one_line_and_others_are_read(content, tmp_path, capsys, without_figures):
    folder = store(tmp_path)
    good = result_file(folder)
    good.with_name("odd\x1b[31m.json").write_bytes(content)
    code, printed, errors = report(folder, capsys)
    assert code == 0
    assert "Blocks by channel count" in printed
    assert re.fullmatch(r"report: .*odd�\[31m\.json is passed over: [^\n]+\n", errors)
    good.unlink()
    code, printed, errors = report(folder, capsys)
    assert code == 1
    assert re.fullmatch(r"report: .* is passed over: .*\npython -m benchmarks: no timed blocks .*\n", errors)


def test_no_control_character_of_a_file_is_printed_or_written(tmp_path, capsys, without_figures):
    """Escapes in the machine, the facts, the names of blocks and of benchmarks, and in the commit."""
    folder = store(tmp_path, fails=[(16, 1, "fire/8 3×3")])
    path = result_file(folder)
    stored = json.loads(path.read_text("utf-8").replace("fire/8 3x3", "fire/8\\u001b]0;owned\\u0007 3x3"))
    facts = {**FACTS, "cpu": ESCAPE, "source": ESCAPE, ESCAPE: ESCAPE, "blocks_input": ESCAPE, "openmp": [ESCAPE]}
    facts["choices"] = {"3×3" + ESCAPE: [[1, 512, ESCAPE.strip()]]}
    stored["params"] |= {"machine": ESCAPE, "os": ESCAPE, "ram": "²"}
    stored["commit_hash"] = ESCAPE
    stored["results"]["bench_other.failed" + ESCAPE] = [None]
    stored["results"]["bench_other.odd"] = [[1], [["'\\\x1b'"]]]
    path.write_text(json.dumps(with_facts(stored, facts)), "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Python's own, of an escape that is none, would show it
        code, printed, errors = report(folder, capsys)
    assert (code, errors) == (0, "")
    html = (folder / "report.html").read_text("utf-8")
    for text in (printed, html):
        assert is_fit_for_a_terminal(text)
        assert "fire/8�]0;owned� 3×3" in text
    assert "bench_other.failed�]0;owned" in html
    assert suite.main(["report", "--results", str(folder), "--commit", "b"]) == 1
    assert is_fit_for_a_terminal(capsys.readouterr().err)


@pytest.mark.parametrize("draw", [plots.saved_against_saved, plots.thread_scaling])
def test_more_blocks_than_colours_and_signs_of_formulas_are_drawn(draw, tmp_path):
    run = data.load(store(tmp_path))
    several = [replace(cell, name=f"$\\frac{i} {cell.name}") for i in range(5) for cell in run.blocks]
    assert panels.svg(draw, replace(run, blocks=several))
