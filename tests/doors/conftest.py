"""Fixtures of tests that compile with PyTorch."""

import pytest


@pytest.fixture
def fresh_torch():
    """Nothing is compiled yet, the random numbers begin anew, and no gradient is asked for."""
    import torch

    torch._dynamo.reset()
    torch.manual_seed(0)
    with torch.no_grad():
        yield
