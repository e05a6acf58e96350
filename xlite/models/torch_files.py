"""Files of torch.save, read without running code in them, and never to more than they weigh."""

import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import torch

# what torch's restricted unpickler and zipfile raise on other files (found by fuzzing)
UNREADABLE = (
    *(pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, ValueError, OSError, MemoryError),
    *(LookupError, TypeError, AttributeError, AssertionError, struct.error),
)


def load_plain(path: Path) -> Any:
    """Tensors and plain values that torch.save wrote, on the CPU; raises one of UNREADABLE for others."""
    with open(path, "rb") as file:
        return load_plain_file(file)


def load_plain_file(file: BinaryIO) -> Any:
    """The same of a file that is open, or in memory."""
    file.seek(0)
    start = file.read(2)
    if zipfile.is_zipfile(file):
        _check_records(file)
    elif start == b"PK":
        raise ValueError("it is cut short")
    file.seek(0)
    # else a sparse tensor could point anywhere
    with torch.sparse.check_sparse_tensor_invariants():  # type: ignore[no-untyped-call]
        return torch.load(file, map_location="cpu", weights_only=True)


def _check_records(file: BinaryIO) -> None:
    """Raises ValueError unless the records of a zip are as torch.save leaves them: it checks none itself."""
    size = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(file) as records:
        if sum(record.file_size for record in records.infolist()) > size:
            raise ValueError("its records are larger than the file, and torch.save compresses nothing")
        damaged = records.testzip()
    if damaged is not None:
        raise ValueError(f"its record {damaged} is damaged: its checksum does not match")
