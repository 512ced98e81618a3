"""Pages of the report without what takes seconds: most tests look at their words and tables."""

import pytest


@pytest.fixture
def without_figures(monkeypatch):
    """Pages have no figures."""
    monkeypatch.setattr("benchmarks.report.page._figure", lambda *_: None)


@pytest.fixture
def drawn_alone(monkeypatch):
    """Figures are drawn from the run, but not laid out and written."""

    def svg(draw, run, width):
        return None if draw(run, width) is None else "<svg/>"

    monkeypatch.setattr("benchmarks.report.panels.svg", svg)
