"""What a user hands over is read once: later changes of it, or other answers of it, change nothing."""

import textwrap

import numpy as np
import pytest
from cases import SMALL_BLOCKS, integers, small_block

import fastconv
from fastconv import cost, reference

RNG = np.random.default_rng(0)
X = integers(RNG, (2, 9, 8, 4), "float32")
WEIGHT = integers(RNG, (3, 3, 4, 8), "float32")
BLOCKS = {  # for each block with options of its own, lists in their places
    "MLPConv": {"stride": [1, 1], "padding": [[1, 1], [1, 1]]},
    "Reduced": {"stride": [1, 2], "padding": [1, 1]},
    "Bottleneck": {"stride": [1, 1]},
}


class Turning:
    """An integer that is another one every time it is asked."""

    def __init__(self, *answers):
        self.answers, self.asked = answers, 0

    def __index__(self):
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


class TurningList(list):
    """A list whose items and length are others every time it is asked."""

    def __init__(self, *answers):
        super().__init__(answers[0])
        self.answers, self.asked = answers, 0

    def __iter__(self):
        self.asked += 1
        return iter(self.answers[min(self.asked, len(self.answers)) - 1])

    def __getitem__(self, i):
        return list(iter(self))[i]

    def __len__(self):
        return len(self.answers[0])


def spoil(value):
    """Change all that a nested list holds."""
    for i, part in enumerate(value):
        if isinstance(part, list):
            spoil(part)
        else:
            value[i] = 8


def copied(value):
    return [copied(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("num_threads", [1, 2, 3])
@pytest.mark.parametrize("name", BLOCKS)
def test_a_list_that_is_changed_after_a_block_was_made(name, num_threads, layout):
    x, pairs = small_block(name, layout, integers)
    options = {option: copied(value) for option, value in BLOCKS[name].items()}
    other = {"layout": layout, "num_threads": num_threads}
    want = getattr(fastconv, name)(*pairs.values(), **options, **other)
    block = getattr(fastconv, name)(*pairs.values(), **options, **other)
    y, told, text, costs = want(x), want.describe(x.shape), repr(want), want.cost(x.shape)
    for value in options.values():
        spoil(value)
    np.testing.assert_array_equal(block(x), y)
    assert (block.describe(x.shape), repr(block), block.cost(x.shape)) == (told, text, costs)


def test_the_block_that_wrote_beyond_its_memory(run_python):
    code = """
        import numpy as np, fastconv
        weight, steps = np.ones((1, 1, 16, 16), np.float32), [8, 8]
        block = fastconv.MLPConv((weight, None), (weight, None), stride=steps)
        steps[:] = [1, 1]
        assert block(np.ones((1, 64, 64, 16), np.float32)).shape == (1, 8, 8, 16)
    """
    run_python("-c", textwrap.dedent(code))


def test_lists_that_are_changed_after_a_plan_was_made():
    stride, padding, dilation = [1, 2], [[1, 0], [2, 1]], [2, 1]
    plan = fastconv.Conv2d(WEIGHT, stride=stride, padding=padding, dilation=dilation)
    y, text, costs = plan(X), repr(plan), plan.cost(X.shape)
    for value in (stride, padding, dilation):
        spoil(value)
    np.testing.assert_array_equal(plan(X), y)
    assert (repr(plan), plan.cost(X.shape)) == (text, costs)


@pytest.mark.parametrize("option", ["stride", "padding", "dilation", "groups", "num_threads"])
def test_an_integer_is_asked_once(option):
    value = Turning(1, 3)
    plan = fastconv.Conv2d(WEIGHT, **{option: value})
    want = fastconv.Conv2d(WEIGHT, **{option: 1})
    np.testing.assert_array_equal(plan(X), want(X))
    assert (plan.cost(X.shape), plan.describe(X.shape)) == (want.cost(X.shape), want.describe(X.shape))
    assert value.asked == 1


@pytest.mark.parametrize("name", ["MLPConv", "Reduced", "Bottleneck"])
def test_an_integer_of_a_block_is_asked_once(name):
    x, pairs = small_block(name, values=integers)
    value, threads = Turning(1, 2), Turning(1, 3)
    block = getattr(fastconv, name)(*pairs.values(), stride=value, num_threads=threads)
    want = getattr(fastconv, name)(*pairs.values(), num_threads=1)
    np.testing.assert_array_equal(block(x), want(x))
    assert (block.cost(x.shape), block.describe(x.shape)) == (want.cost(x.shape), want.describe(x.shape))
    assert value.asked == threads.asked == 1


@pytest.mark.parametrize("pool", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize("module", [fastconv, reference])
def test_a_kernel_is_asked_once(pool, module):
    function = getattr(module, pool)
    np.testing.assert_array_equal(function(X, Turning(2, 3)), function(X, 2))
    np.testing.assert_array_equal(function(X, TurningList([2, 2], [3, 3])), function(X, 2))
    np.testing.assert_array_equal(function(X, 2, padding=TurningList([1, 1], [0, 0])), function(X, 2, padding=1))


def test_an_x_that_changes_its_shape_while_an_option_is_read():
    x = X.copy()

    class Reshaping:
        def __index__(self):
            x.resize((2, 1, 1, 288), refcheck=False)
            return 3

    want = fastconv.max_pool2d(x.reshape(2, 1, 1, -1), 3, padding=1)
    np.testing.assert_array_equal(fastconv.max_pool2d(x, Reshaping(), padding=1), want)


def test_a_weight_that_changes_its_shape_while_an_option_is_read():
    weight = WEIGHT.copy()

    class Reshaping:
        def __index__(self):
            weight.resize((1, 1, 4, 72), refcheck=False)
            return 1

    np.testing.assert_array_equal(fastconv.Conv2d(weight, stride=Reshaping())(X), fastconv.conv2d(X, WEIGHT))


@pytest.mark.parametrize("name", SMALL_BLOCKS)
def test_a_pair_whose_items_change(name):
    x, pairs = small_block(name, values=integers)
    turning = [TurningList(pair, [np.ones((1, 1, 1, 1), np.float32), None]) for pair in pairs.values()]
    want = getattr(fastconv, name)(*pairs.values())(x)
    np.testing.assert_array_equal(getattr(fastconv, name)(*turning)(x), want)


def test_shapes_whose_items_change():
    shape, conv = (9, 8, 4), (3, 3, 4, 8)
    costs = cost.conv2d(shape, conv, padding=1)
    assert cost.conv2d(TurningList(shape, (90, 80, 4)), conv, padding=1) == costs
    assert cost.conv2d((9, Turning(8, 80), 4), TurningList((3, 3, 4, 8), (1, 1, 4, 8)), padding=1) == costs
    reduce = 1, 1, 4, 2
    want = cost.bottleneck(shape, reduce, (3, 3, 2, 2), (1, 1, 2, 4))
    turning = TurningList((3, 3, 2, 2), (1, 1, 2, 2))
    assert cost.bottleneck(TurningList(shape, (1, 1, 4)), reduce, turning, (1, 1, 2, Turning(4, 1))) == want
    plan = fastconv.Conv2d(WEIGHT)
    assert plan.describe(TurningList(shape, (3, 3, 4))) == plan.describe(shape)
    assert plan.describe(TurningList(shape, (3, 3, 4)), measure=True).macs == plan.describe(shape).macs
    assert cost.pointwise(TurningList(shape, (1, 1, 4)), (4, 2)) == cost.pointwise(shape, (4, 2))


def test_a_string_of_a_class_of_its_own_is_a_plain_one():
    class Never(str):
        __hash__ = str.__hash__

        def __eq__(self, other):
            return False

    options = {"padding": Never("same"), "layout": Never("NHWC"), "activation": Never("relu")}
    got = fastconv.conv2d(X, WEIGHT, **options, algorithm=Never("direct"))
    np.testing.assert_array_equal(got, fastconv.conv2d(X, WEIGHT, padding="same", activation="relu"))


@pytest.mark.parametrize("name", SMALL_BLOCKS)
def test_a_block_runs_no_part_of_another_shape_than_it_has_room_for(name, monkeypatch):
    """Whatever a part might be, a block that would write beyond its memory says so instead."""
    x, pairs = small_block(name, values=integers)
    block = getattr(fastconv, name)(*pairs.values())
    part = next(node.name for node in block._graph.nodes if node.inputs == ("x",) and node.name in pairs)
    weight, bias = pairs[part]
    block._convs[part] = fastconv.Conv2d(weight, bias, padding=5)
    for images in (x, x[0]):
        with pytest.raises(RuntimeError, match=f"{part} has the shape"):
            block(images)
