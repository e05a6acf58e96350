"""A folder that an export writes whole, and that it writes anew only if nothing else came into it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from xlite.errors import RunError
from xlite.files import digest_of, write_atomic

MADE = ".xlite-export.json"
"""In the folder: SHA-256 of each file that was written, by its name."""
_REPOSITORY = ".git"


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to write into; at the end its files take the place of an earlier export's in `folder`.

    Raises RunError, before anything is written, if `folder` is a file or holds what no export wrote there, or
    what was changed since. A repository's own `.git` may lie in it.
    """
    check_folder(folder)
    place = folder.resolve()  # "." is a place, too
    place.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{place.name[:50]}.", dir=place.parent) as temporary:
        draft = Path(temporary)
        yield draft
        old = check_folder(folder)
        made = {name: digest_of(draft / name) for name in _files(draft)}
        write_atomic(draft / MADE, json.dumps(made, indent=1).encode())
        for name in old:
            (place / name).unlink()
        for name in [*made, MADE]:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(draft / name, place / name)


def megabytes(folder: Path) -> float:
    """The size of a folder's files, in 10^6 bytes."""
    return sum((folder / name).stat().st_size for name in _files(folder)) / 1e6


def check_folder(folder: Path) -> list[str]:
    """The files of an earlier export in a folder; RunError for all else."""
    if folder.is_symlink() or folder.exists():
        if not folder.is_dir():
            raise RunError(f"{folder} is not a folder; name one that is empty or not there yet")
    else:
        return []
    found = _files(folder)
    made = _made(folder)
    for name in found:
        if name != MADE and (name not in made or digest_of(folder / name) != made[name]):
            told = "was changed since" if name in made else "is not of an earlier export"
            raise RunError(
                f"{folder} has {name}, which {told}, and would be lost: name a folder that is empty or not "
                "there yet"
            )
    return found


def _files(folder: Path) -> list[str]:
    """All that is not a folder in a folder, by its name from there."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir())
    names = (path.relative_to(folder) for path in paths)
    return [name.as_posix() for name in names if name.parts[0] != _REPOSITORY]


def _made(folder: Path) -> dict[str, str]:
    try:
        said = json.loads((folder / MADE).read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
