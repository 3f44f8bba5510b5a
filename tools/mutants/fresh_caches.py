"""A pytest plugin: every test begins with empty caches, so that what one test left there hides no mutant."""

from __future__ import annotations

import functools
import gc

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    for one in gc.get_objects():
        if isinstance(one, functools._lru_cache_wrapper) and one.__module__.startswith("core."):
            one.cache_clear()
