"""For all tests: property tests try the same cases on every run, and how long one takes never fails them."""

from hypothesis import settings

settings.register_profile("whence", deadline=None, derandomize=True)
settings.load_profile("whence")
