"""`python -m benchmarks.cores`: the busy part of cores that need not be there."""

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
    assert cores.busy(steps(28, 64), 1) == 1


@pytest.mark.parametrize("count", cores.CORES)
def test_no_more_than_all_cores_are_busy(count):
    assert 0 < cores.busy(steps(28, 64), count) <= 1


def test_a_small_layer_keeps_few_of_many_cores_busy():
    small, large = (cores.busy(steps(size, 64), 64) for size in (4, 112))
    assert small < 1 / 8 < 1 / 2 < large


def test_the_command_prints_a_line_for_each_network(capsys):
    cores.main(["--networks", "SqueezeNet 1.1", "--cores", "1", "8"])
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.split()[:3] == ["SqueezeNet", "1.1", "1.00"]
    assert 0 < float(line.split()[3]) <= 1
