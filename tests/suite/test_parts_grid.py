"""`python -m benchmarks.parts_grid`: the parts of a block, called by themselves, compute what it computes."""

from dataclasses import replace

import pytest

from benchmarks import common, parts_grid


@pytest.mark.parametrize("size", [7, 28])  # 28: by Winograd, which rounds
@pytest.mark.parametrize("name", parts_grid.BLOCKS)
def test_parts_compute_the_block(name, size):
    layer = replace(parts_grid.BLOCKS[name](16), x_shape=(size, size, 16))
    whole = common.Call(layer, 1)
    parts_grid.parts(layer, whole, 1)()  # it checks the result


def test_the_command_prints_a_line_for_each_block_and_counts_losses(capsys):
    parts_grid.main(["--channels", "8", "--maps", "7"])
    *rows, last = capsys.readouterr().out.splitlines()[-1 - len(parts_grid.BLOCKS) :]
    assert [row.split(",")[0].strip() for row in rows] == list(parts_grid.BLOCKS)
    assert last.endswith(f"of {len(rows)} under {parts_grid.NOISE}")
