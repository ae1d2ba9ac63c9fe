"""Captures: everything that a listener received, as it came, in a file; docs/capture-format.md describes it."""
