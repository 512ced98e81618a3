"""`python -m benchmarks.first_use`: a line for each network and team, from processes of their own."""

from benchmarks import first_use


def test_the_command_prints_a_line_for_each_team(capsys):
    first_use.main(["--networks", "SqueezeNet 1.1", "--threads", "1", "2", "--turns", "1"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("SqueezeNet")]
    assert [line[2] for line in lines] == ["1", "2"]
    for line in lines:
        copy, run, first, ratio, second = map(float, line[3:])
        assert first > run > 0 < copy
        assert ratio > 1 / 2 < second
