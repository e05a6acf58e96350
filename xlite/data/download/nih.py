"""NIH ChestX-ray14 from its public links: twelve archives and four tables, without an account.

Any break (network, power, Ctrl-C, a full disk) costs nothing: the same call goes on where it stopped.
"""

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from tqdm import tqdm

from xlite.data.download.archive import unpack_films
from xlite.data.download.resumable import fetch
from xlite.errors import DataError, sentence
from xlite.file_lock import locked
from xlite.text import counted

NIH_PAGE = "https://nihcc.app.box.com/v/ChestXray-NIHCC"
# NIH's own links, images_001 to images_012 in order.
ARCHIVES = tuple(
    f"https://nihcc.box.com/shared/static/{key}.gz"
    for key in (
        "vfk49d74nhbxq3nqjg0900w5nvkorp5c",
        "i28rlmbvmfjbl8p2n3ril0pptcmcu9d1",
        "f1t00wrtdk94satdfb9olcolqx20z2jp",
        "0aowwzs5lhjrceb3qp67ahp0rd1l1etg",
        "v5e3goj22zr6h8tzualxfsqlqaygfbsn",
        "asi7ikud9jwnkrnkj99jnpfkjdes7l6l",
        "jn1b4mw4n6lnh74ovmcjb8y48h8xj07n",
        "tvpxmn7qyrgl0w8wfh9kqfjskv6nmm1j",
        "upyy3ml7qdumlgk2rfcvlb9k6gvqq2pj",
        "l6nilvfa9cg3s28tqv1qc1olm3gnz54p",
        "hhq8fkdgvcari67vfhs7ppg2w6ni4jze",
        "ioqwiy20ihqwyr8pf4c24eazhh281pbu",
    )
)
_FILMS = (4_999, *[10_000] * 10, 7_121)
# NIH's page hands its tables out to browsers only, so they come from a public mirror of that page.
TABLES_URL = "https://huggingface.co/datasets/alkzar90/NIH-Chest-X-ray-dataset/resolve/main/data"
_TABLE_STARTS = {
    "Data_Entry_2017_v2020.csv": "Image Index,",
    "BBox_List_2017.csv": "Image Index,",
    "train_val_list.txt": "0",
    "test_list.txt": "0",
}
NEEDED_BYTES = 45_000_000_000

Progress = Callable[[int, int | None], None]

log = logging.getLogger(__name__)


class _Unpacked(BaseModel):
    """The marker of a finished archive: how many films it held, and where it came from."""

    model_config = ConfigDict(frozen=True)
    films: int
    url: str = ""


def download(
    out: str | Path,
    labels_only: bool = False,
    links: Sequence[str] | None = None,
    progress: Progress | None = None,
    tables_url: str = TABLES_URL,
    needed_bytes: int = NEEDED_BYTES,
    backoff_s: float = 1.0,
) -> None:
    """Download ChestX-ray14 into the folder `out`, in NIH's layout; what is there already is left alone.

    `links` replaces the addresses of the archives, images_001 first. `needed_bytes` is the free disk space
    required for all archives. `progress(bytes so far, bytes in all)`, for one file after the other, replaces
    the bars on stderr. Raises DataError.
    """
    job = _Download(Path(out), progress, backoff_s)
    urls = ARCHIVES if links is None else tuple(links)
    counts = _FILMS if links is None else (None,) * len(urls)
    busy = DataError(f"another download into {out} is running; wait for it or stop it")
    try:
        job.out.mkdir(parents=True, exist_ok=True)
        with locked(job.out / ".download.lock", busy):
            for name in _TABLE_STARTS:
                job.table(name, tables_url)
            if not labels_only:
                job.archives(urls, counts, needed_bytes)
    except OSError as error:
        # Not the file that the error names: it may be a temporary one.
        raise DataError(sentence(error, out)) from error


@dataclass(frozen=True)
class _Download:
    """The folder of a download and how it reports its progress."""

    out: Path
    progress: Progress | None
    backoff_s: float

    def table(self, name: str, tables_url: str) -> None:
        """Fetches one of NIH's tables, unless it is there already (plain or .gz)."""
        path = self.out / name
        if path.exists() or path.with_name(name + ".gz").exists():
            return
        url, fresh = f"{tables_url}/{name}", self.out / f"{name}.new"
        by_hand = f"get {name} in a browser from {NIH_PAGE}, put it into {self.out} and run this again"
        try:
            with self._reporting(name) as report:
                fetch(url, fresh, report, self.backoff_s, name)
        except DataError as error:
            raise DataError(f"{error}; or {by_hand}") from error
        with open(fresh, encoding="utf-8-sig", errors="replace") as file:
            looks_right = file.readline(200).startswith(_TABLE_STARTS[name])
        if not looks_right:
            fresh.unlink()
            raise DataError(f"{url} is not NIH's table; {by_hand}")
        fresh.replace(path)
        log.info("%s: fetched", name)

    def archives(self, urls: Sequence[str], counts: Sequence[int | None], needed_bytes: int) -> None:
        """Fetches and unpacks every archive that is not there yet; `counts` are the films each must hold."""
        folders = [self.out / f"images_{number:03d}" for number in range(1, len(urls) + 1)]
        missing = [i for i, folder in enumerate(folders) if not _is_unpacked(folder)]
        if len(missing) < len(urls):
            log.info("%d of %d archives are here already", len(urls) - len(missing), len(urls))
        _check_free_disk(self.out, needed_bytes * len(missing) // max(len(urls), 1))
        for i in missing:
            self._archive(urls[i], folders[i], counts[i], f"{i + 1} of {len(urls)}")
        log.info("%s in %s", counted(sum(map(_count_films, folders)), "film"), self.out)

    def _archive(self, url: str, folder: Path, expected: int | None, position: str) -> None:
        archive = self.out / f"{folder.name}.tar.gz"
        if not archive.exists():
            with self._reporting(f"archive {position}") as report:
                fetch(url, archive, report, self.backoff_s)
        folder.mkdir(exist_ok=True)
        try:
            with self._reporting(f"unpacking {position}", " films") as report:
                films = unpack_films(archive, folder / "images", lambda done: report(done, expected))
            if expected is not None and films != expected:
                raise DataError(f"{archive.name} holds {counted(films, 'film')}; NIH's has {expected:,}")
        except DataError as error:
            archive.unlink()
            raise DataError(
                f"{error}; it came from {url} and has been deleted, run this again to fetch it anew"
            ) from error
        _marker(folder).write_text(_Unpacked(films=films, url=url).model_dump_json() + "\n")
        archive.unlink()
        log.info("%s: %s", folder.name, counted(films, "film"))

    @contextmanager
    def _reporting(self, what: str, unit: str = "B") -> Iterator[Progress]:
        """Gives report(done, in all), which draws a bar with the time left, or passes bytes to `progress`."""
        if self.progress is not None:
            yield self.progress if unit == "B" else lambda done, total: None
            return
        with tqdm(desc=what, unit=unit, unit_scale=True, delay=2) as bar:

            def report(done: int, total: int | None) -> None:
                if bar.total != total:  # at first: what was fetched earlier must not count for the speed
                    bar.total, bar.initial, bar.n = total, done, done
                bar.update(done - bar.n)

            yield report


def _marker(folder: Path) -> Path:
    return folder / "unpacked.json"


def _is_unpacked(folder: Path) -> bool:
    """Whether the marker of a finished archive is there and no film has gone since."""
    try:
        return _count_films(folder) >= _Unpacked.model_validate_json(_marker(folder).read_bytes()).films
    except (OSError, ValueError):
        return False


def _count_films(folder: Path) -> int:
    return sum(1 for path in (folder / "images").iterdir() if path.suffix == ".png")


def _check_free_disk(out: Path, needed: int) -> None:
    free = shutil.disk_usage(out).free
    if free < needed:
        raise DataError(
            f"{out} has {free / 1e9:.1f} GB of free disk and the films need {needed / 1e9:.1f} GB; "
            "free some space or choose another folder"
        )
