"""The errors that a user can cause; command lines turn them into one sentence."""


class HarError(Exception):
    """Base class: ``str(error)`` is one sentence that says what to do."""


class DataError(HarError):
    """A data file is missing, truncated or malformed."""


class ArtefactError(HarError):
    """A trained model cannot be read, or does not fit this program."""
