"""The errors a user can cause: one plain sentence with the value, what was expected, what to do."""

import errno
import os


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


def sentence(error: BaseException, file: str | os.PathLike[str] = "") -> str:
    """An error in one sentence: its own where a user caused it, the system's, or its kind and words.

    `file` is named in place of the system's, which may be a temporary one.
    """
    if isinstance(error, XliteError):
        return str(error)
    if not isinstance(error, OSError):
        return f"{type(error).__name__}: {error}"
    name = os.fspath(file) or error.filename
    file = f" {name}" if name else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full, so{file or ' a file'} could not be written: free some space and try again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to use{file or ' a file'}: {error.strerror}"
    return f"{error.strerror or error}{':' if file else ''}{file}"
