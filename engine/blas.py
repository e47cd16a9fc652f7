"""The BLAS library behind NumPy's matrix products: how many threads it may use, and which of its kernels runs here."""

from __future__ import annotations

import functools
from typing import Any

import threadpoolctl

WITH_SMALL_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")
"""OpenBLAS's architectures that multiply small matrices where they lie; all others pack them first."""


@functools.cache
def limit_to_one_thread() -> None:
    """Keep BLAS to one thread: cutting the batch uses the cores better."""
    threadpoolctl.threadpool_limits(1, user_api="blas")


@functools.cache
def library() -> dict[str, Any]:
    """What is known of the library: "internal_api", "version", "architecture" …; empty when it is not a known one."""
    return next((info for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas"), {})


def packs_small_products() -> bool:
    """Whether even a small product pays for packing its operands, so that a few larger ones are faster."""
    return library().get("architecture") not in WITH_SMALL_KERNELS
