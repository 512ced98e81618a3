"""Profiles: what they tell of every step, whatever the layout, dtype and turns; never how long it took."""

import json
from dataclasses import replace

import numpy as np
import pytest
from graph_cases import ONE, THREE, X

import fastconv
from fastconv._planning import prepared_graph
from fastconv._planning import profile as profiles
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
    monkeypatch.setattr(prepared_graph, "_SCRATCH_BYTES", scratch)
    g, x = graph(layout, dtype), (X if layout == "NHWC" else X.transpose(0, 3, 1, 2)).astype(dtype)
    profile, described = g.profile(x, x), g.describe(x.shape, x.shape)
    assert [step.name for step in profile] == list(described.parts) == ["wide", "narrow", "pool", "sum"]
    assert [step.operation for step in profile] == ["conv2d", "conv2d", "max_pool2d", "add"]
    assert [step.algorithm for step in profile] == ["direct", "direct", "", ""]
    for counted in "macs", "multiplications":
        assert [getattr(step, counted) for step in profile] == [getattr(p, counted) for p in described.parts.values()]
    assert profile.steps[1].bytes == 2 * x.nbytes + ONE.size * x.itemsize
    assert all(step.milliseconds > 0 for step in profile)
    for step in profile:
        assert step.gflops == pytest.approx(2 * step.macs / step.milliseconds / 1e6)
        assert step.gbytes == pytest.approx(step.bytes / step.milliseconds / 1e6)
    assert profile.milliseconds >= profile.sum_milliseconds  # the steps lie within the runs
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


def test_the_steps_and_the_whole_are_of_the_same_runs(monkeypatch):
    """Of five runs the slower two are left out; the medians of the steps add up to less than any run."""
    runs, now = iter([[10, 1, 1, 1], [90, 1, 1, 1], [1, 10, 1, 1], [1, 90, 1, 1], [1, 1, 10, 1]]), [0]

    def call(plan, names, given, out, times=None):
        if times is not None:
            times += next(runs)
            now[0] += times.sum()

    monkeypatch.setattr(profiles, "_SECONDS", 0.0)
    monkeypatch.setattr(profiles, "_MIN_RUNS", 5)
    monkeypatch.setattr(profiles, "call", call)
    monkeypatch.setattr(profiles, "perf_counter_ns", lambda: now[0])
    profile = graph().profile(X, X)
    assert [step.milliseconds * 1e6 for step in profile] == pytest.approx([4, 4, 4, 1])
    assert profile.milliseconds * 1e6 == pytest.approx(13)


def test_only_fewer_multiplications_make_a_share_nominal():
    step = profiles.StepProfile("conv", "conv2d", "winograd", 1, 1.0, 100, 50, 4, 1.0, 1.0, 1.1)
    assert "nominal" in str(profiles.Profile((step,), 1.0, 3))
    assert "nominal" not in str(profiles.Profile((replace(step, share_of_peak=0.9),), 1.0, 3))
    assert "nominal" not in str(profiles.Profile((replace(step, multiplications=100),), 1.0, 3))  # noise


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_the_profile_of_a_convolution(layout):
    plan = fastconv.Conv2d(ONE if layout == "NHWC" else ONE.transpose(3, 2, 0, 1), layout=layout)
    x = X if layout == "NHWC" else X.transpose(0, 3, 1, 2)
    (step,) = plan.profile(x)
    assert (step.name, step.macs) == ("conv2d", plan.cost(x.shape).macs)
    with pytest.raises(TypeError, match=r"^x has dtype float64"):
        plan.profile(x.astype(float))


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
