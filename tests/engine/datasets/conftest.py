"""A way to assert on a DataError: its code, its words, and the fixes that it offers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.datasets.catalog import open_dataset
from engine.errors import DataError

Refused = Callable[..., DataError]


@pytest.fixture
def refused() -> Refused:
    """Open a path that cannot be opened; the one-line message must carry the code and the words, and nothing unfilled."""

    def check(path: str | Path, code: str, *words: str, **options: Any) -> DataError:
        with pytest.raises(DataError) as caught:
            open_dataset(path, **options)
        error = caught.value
        assert error.code == code, error
        for word in words:
            assert word in str(error)
        assert "\n" not in str(error)
        assert "{" not in str(error)
        return error

    return check
