"""Profiles: what they tell of every step, whatever the layout, dtype and turns; never how long it took."""

import json

import numpy as np
import pytest
from graph_cases import ONE, THREE, X

import fastconv
from fastconv._planning import graph_plan
from fastconv._planning.description import figure

pytestmark = pytest.mark.filterwarnings("ignore:.*did fewer multiply-adds")


def graph(layout="NHWC", dtype="float32"):
    weights = [ONE.astype(dtype), THREE.astype(dtype)]
    one, three = weights if layout == "NHWC" else (weight.transpose(3, 2, 0, 1) for weight in weights)
    g = fastconv.Graph(layout=layout)
    y = g.conv2d(g.conv2d(g.x, three, padding=1, name="wide"), one, activation="relu", name="narrow")
    g.add(g.max_pool2d(y, 3, stride=1, padding=1, name="pool"), g.input("other"), name="sum")
    return g


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("scratch", [8 * 2**20, -1])
def test_every_step_is_timed(layout, dtype, scratch, monkeypatch):
    monkeypatch.setattr(graph_plan, "_SCRATCH_BYTES", scratch)
    g, x = graph(layout, dtype), (X if layout == "NHWC" else X.transpose(0, 3, 1, 2)).astype(dtype)
    profile, described = g.profile(x, x), g.describe(x.shape, x.shape)
    assert [step.name for step in profile] == list(described.parts) == ["wide", "narrow", "pool", "sum"]
    assert [step.operation for step in profile] == ["conv2d", "conv2d", "max_pool2d", "add"]
    assert [step.algorithm for step in profile] == ["direct", "direct", "", ""]
    assert [step.macs for step in profile] == [part.macs for part in described.parts.values()]
    assert profile.steps[1].bytes == 2 * x.nbytes + ONE.size * x.itemsize
    assert all(step.milliseconds > 0 for step in profile)
    for step in profile:
        assert step.gflops == pytest.approx(2 * step.macs / step.milliseconds / 1e6)
        assert step.gbytes == pytest.approx(step.bytes / step.milliseconds / 1e6)
    assert profile.milliseconds >= 0.5 * profile.sum_milliseconds  # the steps lie within the runs
    lines = str(profile).splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["step", "wide", "narrow", "pool", "sum"]
    assert lines[-1].endswith(f"in {profile.runs} runs")
    records = json.loads(json.dumps(profile.records()))
    assert [record["name"] for record in records] == list(described.parts)


def test_figures_are_never_powers_of_ten():
    assert [figure(value) for value in (0.0, 0.01234, 999.4, 999.6, 12345.6)] == [
        "0",
        "0.0123",
        "999",
        "1,000",
        "12,346",
    ]


def test_a_profile_changes_nothing():
    g, x = graph(), X.copy()
    want = g(X, X)
    g.plan().profile(x, x)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(g(X, X), want)


def test_what_cannot_be_profiled():
    g = graph()
    with pytest.raises(ValueError, match=r"^x must have an image at least"):
        g.profile(X[:0], X[:0])
    with pytest.raises(TypeError, match="inputs must be"):
        g.profile(X)
    with pytest.raises(TypeError, match=r"^x must be a numpy array"):
        g.profile([1.0], X)
