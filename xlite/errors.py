"""The errors a user can cause: one plain sentence with the value, what was expected, what to do."""


class XliteError(Exception):
    """Bad input from outside: commands and pages print its message and nothing else."""


class ImageError(XliteError):
    """A film that cannot be read."""


class DataError(XliteError):
    """A data folder, table, list or predictions file that is not what it should be."""


class CheckpointError(XliteError):
    """A model file, run or set of weights that cannot be loaded."""


class RunError(XliteError):
    """A run that cannot be created, started, stopped or resumed."""
