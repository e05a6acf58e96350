"""A run's folder as a zip for somebody else: no links, no locks, nothing that SLURM was told. No torch."""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from xlite.errors import RunError
from xlite.runs.run import Run
from xlite.runs.run_files import STATE_FILE
from xlite.runs.slurm import SUBMISSION

_LEFT_OUT = {SUBMISSION, "stop"}
"""Options of sbatch may hold names and keys that are nobody else's business."""
_STORED = (".safetensors", ".onnx", ".ckpt")
"""Weights, which no compression makes smaller."""
MOST_BYTES = 2**30
"""Of larger folders a page hands out no zip: its server would hold it in memory."""


@dataclass(frozen=True)
class Contents:
    """The files of a folder that a zip of it has, by their names in it, and their bytes."""

    folder: Path
    files: dict[str, int]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(self.files.values())

    @property
    def size_text(self) -> str:
        """The size as people read it: `13.9 MB`."""
        return f"{self.size / 1e6:.1f} MB"


def contents(run: Run, with_state: bool = False) -> Contents:
    """What a zip of the run's folder has: plain files, none hidden; `with_state`, what resume needs too."""
    left_out = _LEFT_OUT if with_state else _LEFT_OUT | {STATE_FILE}
    files = {}
    for folder, folders, names in os.walk(run.folder):  # which enters no link
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            inner = path.relative_to(run.folder).as_posix()
            if not name.startswith(".") and inner not in left_out and _is_plain(path):
                files[inner] = path.stat().st_size
    return Contents(run.folder, files)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def write_zip(found: Contents, out: IO[bytes]) -> None:
    """Writes the files as a zip, in a folder of the run's name."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in found.files:
            kind = zipfile.ZIP_STORED if name.endswith(_STORED) else zipfile.ZIP_DEFLATED
            zipped.write(found.folder / name, f"{found.folder.name}/{name}", kind)


def zipped(found: Contents) -> bytes:
    """The zip as bytes, made on demand. RunError if it is too large, or a file went meanwhile."""
    if found.size > MOST_BYTES:
        raise RunError(f"the folder has {found.size_text}, too much to hand out here: copy {found.folder}")
    try:
        with TemporaryFile() as file:
            write_zip(found, file)
            file.seek(0)
            return file.read()
    except FileNotFoundError as error:
        raise RunError(
            f"{error.filename} went while the folder was packed: the run was renamed, deleted or resumed"
        ) from error
