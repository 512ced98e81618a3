"""The partition into tasks: one for each thread of a large layer at least, and never more than there are."""

import numpy as np
import pytest

import fastconv
from fastconv._runners.partition import LoopNest
from fastconv._runners.runner import Runner

# (x, weight, options): large layers of one pixel block and of many, with groups and more than one image.
LARGE = {
    "direct": ((1, 28, 28, 128), (3, 3, 128, 128), {"padding": 1, "algorithm": "direct"}),
    "direct in pixel blocks": ((1, 112, 112, 64), (3, 3, 64, 64), {"padding": 1, "algorithm": "direct"}),
    "direct in groups": ((2, 28, 28, 256), (3, 3, 64, 256), {"groups": 4, "algorithm": "direct"}),
    "depthwise": ((1, 56, 56, 512), (3, 3, 1, 512), {"groups": 512}),
    "1×1": ((1, 14, 14, 1024), (1, 1, 1024, 256), {}),
    "winograd": ((1, 14, 14, 256), (3, 3, 256, 256), {"padding": 1, "algorithm": "winograd"}),
    "winograd in pixel blocks": ((2, 56, 56, 64), (3, 3, 64, 64), {"padding": 1, "algorithm": "winograd"}),
    "1×1 in NCHW": ((1, 256, 28, 28), (256, 256, 1, 1), {"layout": "NCHW"}),
}
ONE_PIXEL_BLOCK = {  # whatever the team
    "direct": ((1, 1, 1, 2048), (1, 1, 2048, 2048), {}),
    "a padded row": ((1, 1, 7, 512), (3, 3, 512, 1024), {"padding": 1, "algorithm": "direct"}),
    "winograd": ((1, 2, 2, 512), (3, 3, 512, 1024), {"padding": 1, "algorithm": "winograd"}),
    "1×1 in NCHW": ((1, 2048, 1, 1), (2048, 2048, 1, 1), {"layout": "NCHW"}),
}


def runner(x_shape, weight_shape, options):
    return fastconv.Conv2d(np.ones(weight_shape, np.float32), **options)._bind((x_shape,))[0].runner


@pytest.mark.parametrize("name", LARGE)
def test_every_thread_has_a_task_of_a_large_layer(name):
    one = runner(*LARGE[name])
    assert one.tasks(1) == one.repeats * one.pixel_blocks
    for team in (2, 3, 4, 8):
        assert team <= one.tasks(team) <= one.repeats * one.max_pixel_blocks * one.max_ranges
    assert one.tasks(1) == one.repeats * one.pixel_blocks  # after others as well


@pytest.mark.parametrize("stride", [1, 2])
def test_the_slabs_of_blas_are_those_of_every_team(stride):
    one = runner((2, 28, 28, 64), (1, 1, 64, 64), {"stride": stride, "algorithm": "blas"})
    assert {one.tasks(team) for team in (1, 2, 3, 8, 64)} == {2 * one.pixel_blocks}
    assert one.pixel_blocks == one.max_pixel_blocks * one.max_ranges


@pytest.mark.parametrize("x_shape", [(0, 8, 8, 4), (8, 8, 4)])
@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_an_empty_batch_has_no_tasks(algorithm, x_shape, capfd):
    one = runner(x_shape, (3, 3, 4, 8), {"algorithm": algorithm})
    for team in (1, 2, 3):
        assert bool(one.tasks(team)) == bool(x_shape[0])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("base", [Runner, LoopNest])
def test_a_base_of_the_runners_is_none(base):
    with pytest.raises(TypeError, match="a base"):
        base()


def test_a_chain_has_no_partition():
    plan = fastconv.Sequential(fastconv.Conv2d(np.ones((1, 1, 4, 8), np.float32)))
    chain = plan._bind(((1, 8, 8, 4),))[0]._chains[1].runner
    assert isinstance(chain, Runner)
    assert not isinstance(chain, LoopNest)


@pytest.mark.parametrize("name", ONE_PIXEL_BLOCK)
def test_one_pixel_block_is_partitioned_by_channels(name):
    one = runner(*ONE_PIXEL_BLOCK[name])
    assert one.tasks(1) == one.max_pixel_blocks == 1
    assert one.tasks(2) % 2 == 0
    assert 2 <= one.tasks(2) <= one.max_ranges


@pytest.mark.parametrize(("x_shape", "stride"), [((7, 7, 2048), 1), ((14, 14, 1024), 2), ((13, 13, 512), (2, 2))])
def test_a_1x1_reads_its_weights_once_for_a_map_of_49_pixels(x_shape, stride):
    plan = fastconv.Conv2d(np.ones((1, 1, x_shape[2], 32), np.float32), stride=stride, algorithm="direct")
    prepared, _ = plan._bind((x_shape,))
    assert prepared.out_shape[1:3] == (7, 7)
    assert prepared.runner.pixel_blocks == 1
