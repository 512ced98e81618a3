from benchmarks import winograd_grid


def test_each_plan_runs_the_algorithm_of_its_name():
    found, x = winograd_grid.plans(3, 64, 64, 7, 1)
    direct, *transforms = found
    assert (direct, transforms) == ("direct", ["F(4×4, 3×3)", "F(4×4, 3×3) on the fly", "F(2×2, 3×3)"])
    assert found[direct][0].describe(x.shape).algorithm == "direct"
    for name in transforms:
        tile = found[name][0].describe(x.shape).tile
        assert tile.startswith(name.removesuffix(" on the fly"))
        assert ("on the fly" in tile) == ("on the fly" in name)
    ratios, chosen = winograd_grid.row(3, 64, 64, 7, 1)
    assert list(ratios) == list(found)
    assert chosen in found


def test_the_command_prints_a_line_for_each_shape_and_counts_wrong_choices(monkeypatch, capsys):
    monkeypatch.setattr(winograd_grid, "TURNS", 1)
    winograd_grid.main(["--channels", "8", "32", "--maps", "7"])
    _, *rows, _, last = capsys.readouterr().out.splitlines()
    sides = "  8→  8", "  8→ 32", " 32→  8", " 32→ 32"
    assert [row.split("   7²")[0] for row in rows] == [f"{n}×{n} {pair}" for n in (3, 5) for pair in sides]
    assert all("  auto: " in row for row in rows)
    assert f" of {len(rows)} shapes; at worst " in last
