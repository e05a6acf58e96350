"""Files of torch.save, read without running code in them, and never to more than they weigh."""

import os
import pickle
import pickletools
import struct
import zipfile
from pathlib import Path
from typing import IO, Any, BinaryIO

import torch

# what torch's restricted unpickler and zipfile raise on other files (found by fuzzing)
UNREADABLE = (
    *(pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, ValueError, OSError, MemoryError),
    *(LookupError, TypeError, AttributeError, AssertionError, struct.error),
)

_DEEPEST = 100  # tuples in tuples; what torch.save writes of tensors has four
_PICKLES = 5  # of the form before torch 1.6, one after the other: three that identify it, content, tensors
_CLOSES_TUPLE = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}


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
    else:
        file.seek(0)
        for _ in range(_PICKLES):
            _check_depth(file)
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
        for name in records.namelist():
            if name.endswith(".pkl"):
                with records.open(name) as pickled:
                    _check_depth(pickled)


def _check_depth(pickled: IO[bytes]) -> None:
    """Raises ValueError if tuples lie in tuples too deep: as the key of a dict they overrun the stack."""
    stack: list[int] = []  # how many tuples deep each value is
    marks: list[int] = []
    memo: dict[object, int] = {}
    for opcode, argument, _ in pickletools.genops(pickled):
        before = opcode.stack_before
        if opcode.name == "MARK":
            marks.append(len(stack))
        elif "PUT" in opcode.name:
            memo[argument] = stack[-1]
        else:
            at_mark = pickletools.markobject in before
            start = (
                marks.pop() - before.index(pickletools.markobject) if at_mark else len(stack) - len(before)
            )
            depth = memo[argument] if "GET" in opcode.name else 0
            if opcode.name in _CLOSES_TUPLE:
                depth = 1 + max(stack[start:], default=0)
            if depth > _DEEPEST:
                raise ValueError("its tuples lie too deep in each other")
            stack[max(start, 0) :] = [depth] * len(opcode.stack_after)
