"""`python -m benchmarks.errors`: the table of docs/fast_inner_products.md."""

from benchmarks import errors


def test_the_command_prints_a_row_for_each_kind_of_values(monkeypatch, capsys):
    monkeypatch.setattr(errors, "SEEDS", 1)
    errors.main([])
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("| values | 1×1 direct | 1×1 blas | 1×1 fip |")
    assert [row.split(" | ")[0] for row in rows] == [f"| {name.replace('_', ' ')}" for name in errors.FAMILIES]
    for row in rows:
        assert all(float(figure) > 0 for figure in row.strip("| ").split(" | ")[1:])
