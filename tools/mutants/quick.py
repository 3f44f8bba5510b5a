"""A pytest plugin for mutants: each test begins with empty caches, and a property that fails is not made smaller.

What one test left in a cache would hide a mutant from the next; a failing case's smallest form interests nobody here.
"""

from __future__ import annotations

import sys
from functools import lru_cache

import pytest
from hypothesis import Phase, settings

_CACHED = type(lru_cache(lambda: None))


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    settings.register_profile("mutants", settings(), phases=[Phase.explicit, Phase.generate], database=None)
    settings.load_profile("mutants")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("core.")]
    for one in [value for module in modules for value in vars(module).values()]:
        if type(one) is _CACHED:
            one.cache_clear()
