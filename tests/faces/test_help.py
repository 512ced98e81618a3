"""What help() shows of the public names explains itself."""

import dataclasses
import inspect

import pytest

import fastconv
from fastconv import networks


def test_help_on_peak_names_all_that_it_returns():
    for field in dataclasses.fields(fastconv.peak()):
        assert f"`{field.name}`" in fastconv.peak.__doc__


@pytest.mark.parametrize("name", [name for name in fastconv.__all__ if inspect.isroutine(getattr(fastconv, name))])
def test_help_on_functions_spells_types_out(name):
    assert spells_types_out(getattr(fastconv, name))


@pytest.mark.parametrize(
    "name",
    [
        *("Conv2d", "MLPConv", "Reduced", "Bottleneck", "Fire", "Inception", "Sequential"),
        *("MaxPool2d", "AvgPool2d", "GlobalAvgPool2d"),
    ],
)
def test_help_on_plans_spells_types_out(name):
    plan = getattr(fastconv, name)
    assert spells_types_out(plan)
    assert spells_types_out(plan.__call__)
    assert plan.layout.__doc__


PUBLIC = {name: getattr(fastconv, name) for name in fastconv.__all__ if callable(getattr(fastconv, name))}
PUBLIC |= {f"networks.{name}": getattr(networks, name) for name in networks.__all__ if name != "Network"}
PUBLIC |= {
    f"{owner.__name__}.{name}": method
    for owner in (fastconv.Graph, networks.Network)
    for name, method in inspect.getmembers(owner, inspect.isfunction)
    if not name.startswith("_")
}


@pytest.mark.parametrize("name", PUBLIC)
def test_help_shows_an_example(name):
    assert ">>> " in PUBLIC[name].__doc__


def spells_types_out(function):
    return not any(isinstance(p.annotation, str) for p in inspect.signature(function).parameters.values())
