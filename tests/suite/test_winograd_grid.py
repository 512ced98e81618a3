from benchmarks import winograd_grid


def test_each_plan_runs_the_algorithm_of_its_name():
    found, x = winograd_grid.plans(3, 64, 64, 7, 1)
    direct, *transforms = found
    assert (direct, transforms) == ("direct", ["F(4×4, 3×3)", "F(2×2, 3×3)"])
    assert found[direct][0].describe(x.shape).algorithm == "direct"
    for name in transforms:
        assert found[name][0].describe(x.shape).tile.startswith(name)
    ratios, chosen = winograd_grid.row(3, 64, 64, 7, 1)
    assert list(ratios) == list(found)
    assert chosen in found
