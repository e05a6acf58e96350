"""Optuna's storage of a study: how it is opened, and what it says if it does not answer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
from optuna.pruners import BasePruner
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from xlite.errors import RunError

OPEN_AGAIN_S = (1.0, 1.0)
"""Pauses before a storage is tried again: another machine may be making its tables at this moment."""

STORAGE_ERRORS = (SQLAlchemyError, optuna.exceptions.StorageInternalError)
"""What comes of a database that does not answer."""


def open_study(name: str, storage: str, pruner: BasePruner) -> optuna.Study:
    """The study in its storage; RunError if that cannot be had."""
    for pause in (*OPEN_AGAIN_S, 0.0):
        try:
            return optuna.create_study(
                study_name=name,
                # a server hangs up on whoever was silent for long, as a sweep is
                storage=RDBStorage(storage, engine_kwargs={"pool_pre_ping": True}),
                direction="maximize",
                pruner=pruner,
                load_if_exists=True,
            )
        except (ImportError, *STORAGE_ERRORS) as error:
            failure = error
            time.sleep(pause)
    raise RunError(
        f"the storage of study {name!r} cannot be opened: {storage_sentence(failure)}"
    ) from failure


def storage_sentence(error: BaseException) -> str:
    """What a storage that cannot be had says, in one line."""
    if isinstance(error, ImportError):
        needed = error.__cause__ or error
        return f'{needed}; for PostgreSQL pip install "xlite-cxr[postgres]"'
    return str(error.__cause__ or error).splitlines()[0]


@contextmanager
def storage_in_words(study: str) -> Iterator[None]:
    """RunError if the storage of a study fails within."""
    try:
        yield
    except STORAGE_ERRORS as error:
        raise RunError(
            f"the storage of study {study!r} does not answer: {storage_sentence(error)}; a run that trains "
            f"goes on, and `xlite sweep resume {study}` finds it"
        ) from error
