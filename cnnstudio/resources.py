"""The one place that finds resources/, in a checkout and in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# The wheel carries the folder inside the package under this name; `resources` is taken by this module.
_IN_WHEEL = _PACKAGE / "_resources"
_ROOT = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent / "resources"


def resource_path(*parts: str) -> Path:
    """The path of a file or folder under resources/, as in `resource_path("datasets", "mnist12k.npz")`.

    Nothing is opened: a path that does not exist fails where it is read.
    """
    return _ROOT.joinpath(*parts)
