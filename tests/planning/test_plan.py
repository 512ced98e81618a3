"""The plan: its own copy of the weights, safe to share, honest about itself."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cases import normals

import fastconv
from fastconv import reference

RNG = np.random.default_rng(0)
X = normals(RNG, (2, 12, 11, 6), "float32")
WEIGHT = normals(RNG, (3, 3, 3, 20), "float32")
BIAS = normals(RNG, (20,), "float32")
OPTIONS = {"stride": (1, 2), "padding": "same", "groups": 2, "activation": "relu"}
FIRE = (1, 1, 6, 4), (1, 1, 4, 5), (3, 3, 4, 9)
PAIRS = [(normals(RNG, shape, "float32"), normals(RNG, shape[3:], "float32")) for shape in FIRE]

JOIN = normals(RNG, (3, 3, 14, 5), "float32")

PLANS = {
    "Conv2d": lambda **options: fastconv.Conv2d(WEIGHT, BIAS, **OPTIONS, **options),
    "Conv2d NCHW": lambda **options: fastconv.Conv2d(
        np.ascontiguousarray(WEIGHT.transpose(3, 2, 0, 1)), BIAS, **OPTIONS, layout="NCHW", **options
    ),
    "pointwise by blas": lambda **options: fastconv.Conv2d(*PAIRS[0], algorithm="blas", **options),
    "Fire": lambda **options: fastconv.Fire(*PAIRS, **options),
    "Sequential": lambda **options: fastconv.Sequential(
        fastconv.MaxPool2d(2), fastconv.Fire(*PAIRS), fastconv.Conv2d(JOIN, activation="relu"), **options
    ),
}


@pytest.fixture(params=PLANS)
def make(request):
    return PLANS[request.param]


def x_for(plan):
    return X if plan.layout == "NHWC" else np.ascontiguousarray(np.moveaxis(X, -1, 1))


@pytest.mark.parametrize("when", ["before the first call", "after it"])
def test_later_changes_of_the_weights_do_not_reach_a_plan(when):
    weight, bias = WEIGHT.copy(), BIAS.copy()
    plan, block_pairs = fastconv.Conv2d(weight, bias, **OPTIONS), copy.deepcopy(PAIRS)
    block = fastconv.Fire(*block_pairs)
    want, block_want = fastconv.conv2d(X, WEIGHT, BIAS, **OPTIONS), fastconv.Fire(*PAIRS)(X)
    if when == "after it":
        plan(X), block(X)
    for array in (weight, bias, *(array for pair in block_pairs for array in pair)):
        array[...] = np.nan
    np.testing.assert_array_equal(plan(X), want)
    np.testing.assert_array_equal(block(X), block_want)
    np.testing.assert_array_equal(plan(X[0]), want[0])  # another shape, packed or prepared anew


def test_a_plan_does_not_hold_on_to_x_or_the_result(make):
    plan = make()
    x = x_for(plan)
    first = plan(x)
    kept = first.copy()
    second = plan(x + 1)
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("duplicate", [lambda p: pickle.loads(pickle.dumps(p)), copy.copy, copy.deepcopy])
def test_a_plan_can_be_pickled_and_copied(make, duplicate, used):
    plan = make(num_threads=2)
    x = x_for(plan)
    if used:
        plan(x)
    twin = duplicate(plan)
    np.testing.assert_array_equal(twin(x), plan(x))
    assert twin.describe(x.shape) == plan.describe(x.shape)
    assert twin.cost(x.shape) == plan.cost(x.shape)
    assert repr(twin) == repr(plan)


def test_a_pickle_holds_the_weights_once():
    plan = fastconv.Conv2d(WEIGHT, groups=2)
    plan(X), plan(X[0])
    assert len(pickle.dumps(plan)) < WEIGHT.nbytes + 2000


@pytest.mark.usefixtures("teams_for_tiny_layers")
@pytest.mark.parametrize("num_threads", [1, 2])
def test_eight_python_threads_share_a_plan(make, num_threads):
    plan = make(num_threads=num_threads)
    x = x_for(plan)
    inputs = [np.ascontiguousarray(part * np.float32(i + 1)) for i in range(4) for part in (x, x[:1], x[0])]
    want = [make(num_threads=1)(part) for part in inputs]
    with ThreadPoolExecutor(8) as pool:
        # 8 at once, from the very first call, which binds and packs.
        for got in pool.map(lambda _: [plan(part) for part in inputs], range(24)):
            for one, right in zip(got, want, strict=True):
                np.testing.assert_array_equal(one, right)


def test_many_shapes_through_one_plan():
    plan = fastconv.Conv2d(WEIGHT, BIAS, **OPTIONS)
    for height in range(1, 100):
        x = normals(RNG, (height, 4, 6), "float32")
        want = fastconv.conv2d(x, WEIGHT, BIAS, **OPTIONS)
        np.testing.assert_array_equal(plan(x), want)
    np.testing.assert_array_equal(plan(X), fastconv.conv2d(X, WEIGHT, BIAS, **OPTIONS))


def test_how_plans_look(make):
    plan = make()
    text = repr(plan)
    assert text.startswith(f"{type(plan).__name__}(")
    assert "float32" in text
    assert "groups=1" not in text
    assert "\n" not in text
    assert plan.dtype == np.float32


def test_a_plan_tells_the_options_that_are_not_the_defaults():
    assert repr(fastconv.Conv2d(np.ones((3, 3, 8, 16)))) == "Conv2d(3×3, 8→16, float64)"
    plan = fastconv.Conv2d(np.ones((8, 4, 1, 3)), np.ones(8), groups=2, activation="relu", layout="NCHW")
    assert repr(plan) == "Conv2d(1×3, 8→8, bias, float64, groups=2, layout='NCHW', activation='relu')"
    assert repr(fastconv.MaxPool2d(2)) == "MaxPool2d(max_pool2d=max_pool2d(kernel=(2, 2), stride=(2, 2)))"


def test_a_plan_agrees_with_the_function_and_the_reference():
    got = fastconv.Conv2d(WEIGHT, BIAS, **OPTIONS)(X)
    np.testing.assert_array_equal(got, fastconv.conv2d(X, WEIGHT, BIAS, **OPTIONS))
    np.testing.assert_allclose(got, reference.conv2d(X, WEIGHT, BIAS, **OPTIONS), rtol=0, atol=1e-5)
