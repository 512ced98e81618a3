"""`python -m benchmarks.cores`: the busy part of cores that need not be there, and what they gain."""

import numpy as np
import pytest

import fastconv
from benchmarks import cores


def steps(size, channels):
    """Those of a 3×3, padded, on a map of this size."""
    graph = fastconv.Graph()
    graph.conv2d(graph.x, np.ones((3, 3, channels, channels), np.float32), padding=1)
    return cores.convolutions(graph.plan(), (1, size, size, channels))


def test_one_core_is_busy():
    assert cores.busy(steps(28, 64), 1) == cores.gain(steps(28, 64), 1) == 1


@pytest.mark.parametrize("count", cores.CORES)
def test_no_more_than_all_cores_are_busy(count):
    assert 0 < cores.busy(steps(28, 64), count) <= 1
    assert 1 <= cores.gain(steps(28, 64), count) <= count


def test_a_small_layer_gains_little_from_many_cores():
    small, large = (cores.gain(steps(size, 64), 64) for size in (4, 112))
    assert small < 8 < 32 < large


def test_fewer_tasks_than_cores_leave_some_idle():
    assert cores.busy(steps(1, 8), 192) < 1 / 8


def test_the_command_prints_a_line_for_each_network(capsys):
    cores.main(["--networks", "SqueezeNet 1.1", "--cores", "1", "8"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if "SqueezeNet" in line]
    (*name, one, busy), (*_, first, gain) = lines
    assert (name, one, first) == (["SqueezeNet", "1.1"], "1.00", "1.0")
    assert float(busy) <= 1 < float(gain) < 8
