"""What a run will take on this machine: time, memory and disk, from a few real steps. No torch."""

from pydantic import BaseModel, ConfigDict

from xlite.evaluation.contamination.caveats import TeacherKnows
from xlite.runs.status import clock
from xlite.text import counted, verb

BUSY = 1.5
"""Programs for each core from which on what is measured says little of a machine at rest."""


class Forecast(BaseModel):
    """What was measured before a run, and what follows; times in s, sizes in GB of 10⁹ bytes.

    device: as torch calls it. student: its size in words. films, val_films, test_films: of each part, those
    that are there; steps: of an epoch; step_films: of a step in one process. step_s: a step; measured: how
    many films a step had when it was measured, fewer than step_films if more would have taken too long, and
    measured_steps how many steps. val_film_s: a film that is validated on. opening_s, decode_s: before the
    first step; the films' cache is written once. memory_gb: what training needs, None if nothing tells;
    memory_free_gb: what there is. cache_gb: 0 if the films are cached; film_decode_s, film_cache_gb: of one
    film that is not. processes: how many share a batch.
    load: programs for each core of the machine, None if nothing tells; beside: runs that trained. seen: what
    teachers know of the test films.
    """

    model_config = ConfigDict(frozen=True)

    device: str
    student: str
    films: int
    val_films: int
    test_films: int
    epochs: int
    steps: int
    step_films: int
    measured: int
    measured_steps: int
    step_s: float
    val_film_s: float
    opening_s: float
    decode_s: float
    memory_gb: float | None
    memory_free_gb: float | None
    cache_gb: float
    cache_free_gb: float
    run_gb: float
    run_free_gb: float
    film_decode_s: float = 0.0
    film_cache_gb: float = 0.0
    processes: int = 1
    load: float | None = None
    beside: int = 0
    seen: TeacherKnows | None = None

    @property
    def epoch_s(self) -> float:
        """An epoch with its validation."""
        return self.steps * self.step_s + self.val_films * self.val_film_s / self.processes

    @property
    def seconds(self) -> float:
        """All of it: opening, decoding, all epochs, and the judgement on the validation and test films."""
        judged = (self.val_films + self.test_films) * self.val_film_s
        return self.opening_s + self.decode_s + self.epochs * self.epoch_s + judged

    @property
    def films_a_second(self) -> float:
        """How many films are trained on a second."""
        return self.step_films * self.processes / self.step_s


def forecast_facts(found: Forecast) -> dict[str, str]:
    """A forecast as titles and texts for people."""
    memory = "–"
    if found.memory_gb is not None:
        free = "" if found.memory_free_gb is None else f" of {found.memory_free_gb:.1f} free"
        memory = f"{found.memory_gb:.1f}{free} GB"
    return {
        "Time": f"about {rounded(found.seconds)}",
        "An epoch": f"about {rounded(found.epoch_s)}",
        "Films a second": _two_digits(found.films_a_second),
        "Memory": memory,
        "Disk": gigabytes(found.cache_gb + found.run_gb),
        "Device": found.device,
    }


def _two_digits(value: float) -> str:
    """A rate or a time with two digits at least, and without an exponent."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def basis(found: Forecast) -> str:
    """How a forecast was made, in sentences."""
    films = counted(found.measured, "film")
    part = "" if found.measured == found.step_films else f" of a batch's {found.step_films}"
    told = [
        f"From {counted(found.measured_steps, 'real step')} on {films}{part}: "
        f"{_two_digits(found.step_s)} s a step, {counted(found.steps, 'step')} an epoch, "
        f"{counted(found.epochs, 'epoch')} at most, and {counted(found.val_films, 'film')} to validate on."
    ]
    if found.decode_s:
        told.append(f"Decoding all films once, about {rounded(found.decode_s)}, is in it.")
    if found.processes > 1:
        told.append(f"{found.processes} processes share each batch; the time to agree is not in it.")
    if found.beside:
        runs = counted(found.beside, "other run")
        told.append(f"{runs} {verb(found.beside, 'was', 'were')} training meanwhile, so alone it is faster.")
    elif found.device == "cpu" and found.load is not None and found.load > BUSY:
        told.append("The machine is busy with other work, so it may be several times faster when that ends.")
    return " ".join(told)


def gigabytes(size: float) -> str:
    """A size on disk in GB as a forecast gives it."""
    return f"{size:.2f} GB" if size < 1 else f"{size:.1f} GB"


def rounded(seconds: float) -> str:
    """Seconds as a forecast gives them, not more exact than it is: `2 min`, `3 h`, `4.5 days`."""
    if seconds >= 48 * 3600:
        return f"{seconds / 86400:.2g} days"
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.2g} h"
    if seconds >= 90:
        return f"{seconds / 60:.0f} min"
    return clock(max(1.0, float(f"{seconds:.1g}"))).removesuffix(" 00 s")
