"""What the oracles share."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def long(pytestconfig: pytest.Config) -> bool:
    """True when the oracles are to run in full."""
    return bool(pytestconfig.getoption("--long"))
