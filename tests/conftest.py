"""Settings of all tests: property tests draw the same examples every time, and no clock decides whether they pass."""

from hypothesis import settings

settings.register_profile("doxa", deadline=None, derandomize=True)
settings.load_profile("doxa")
