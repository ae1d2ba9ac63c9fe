"""A data set as its user has it: a folder or a zip file, unpacked or nested, read with one sentence per fault."""

from __future__ import annotations
