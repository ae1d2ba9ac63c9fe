"""Shared set-up: hypothesis never judges by time, since the machine may be busy."""

from hypothesis import settings

settings.register_profile("har-stream", deadline=None, print_blob=True)
settings.load_profile("har-stream")
