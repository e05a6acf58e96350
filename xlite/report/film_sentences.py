"""What the guards say of a film, in words: one set of sentences for pages and demo. No torch."""

from collections.abc import Iterable, Sequence

from xlite.evaluation.contamination.film_learned import Fact
from xlite.findings import spoken
from xlite.guarded import GuardedFilm, GuardedReading
from xlite.guards.likeness import SPARE, Likeness
from xlite.guards.verdict import Check, Reason, Verdict
from xlite.report.document import Alert, Table
from xlite.text import percent

VOID = (
    'The guarantee of the "not sure" zone is withdrawn, and the rates of the thresholds need not hold: both '
    "are of films as the validation films were."
)
PASSED = "Passes the guards"
NO_PROBABILITIES = "It was not read: no probabilities are given for it."
_MOST_NAMED = 5
"""Of films that are left out; more names would fill the page."""
_UNDO: dict[Reason, tuple[str, str, str]] = {
    "rotated_90": (
        "turn it by 90° counterclockwise",
        "turned by 90° counterclockwise",
        "looks turned by 90° clockwise",
    ),
    "rotated_180": ("turn it by 180°", "turned by 180°", "looks upside down"),
    "rotated_270": (
        "turn it by 90° clockwise",
        "turned by 90° clockwise",
        "looks turned by 90° counterclockwise",
    ),
    "inverted": ("invert its greys", "inverted", "looks inverted"),
}
"""What one click does about a reason, what was done, and what the film looks like before."""
_TITLES: dict[Verdict, str] = {
    "refuse": "Refused",
    "offer": "Read as it came",
    "caution": "Read with caution",
}
_SHORT: dict[Verdict, str] = {"refuse": "refused", "caution": "caution"}


def guard_alert(film: GuardedFilm) -> Alert | None:
    """What the guards say of a film, and what follows; None if it passed as it came."""
    verdict = film.guards.verdict
    if verdict == "pass" and not film.fixed:
        return None
    title = undone_words(film.undone) if film.fixed and not film.is_refused else _TITLES[verdict]
    return Alert(title, _sentences(film), grave=film.is_refused)


def _sentences(film: GuardedFilm) -> list[str]:
    """What the guards say of a film, and what follows; none if it passed as it came."""
    sentences = [str(check) if check in film.guards.checks else _came(check) for check in film.said.checks]
    if film.is_refused:
        return [*sentences, NO_PROBABILITIES]
    return [*sentences, VOID] if film.is_void else sentences


def offer_words(reasons: Sequence[Reason]) -> str:
    """`Turn it by 180° and read it again`: what one click does about the reasons that can be undone."""
    steps = [_UNDO[reason][0] for reason in reasons]
    return _listed([*steps, "read it again"])


def undone_words(reasons: Sequence[Reason]) -> str:
    """`Turned by 180° and inverted before it was read`."""
    return f"{_listed([_UNDO[reason][1] for reason in reasons])} before it was read"


def likeness_sentence(likeness: Likeness | None) -> str:
    """From where on the model calls a film unlike those of its training, and what that comes from."""
    if likeness is None:
        return "Unlike training: not known, as the training or the validation films are too few"
    return (
        "Unlike training: a film whose features are further from those of training than "
        f"{likeness.limit:.3g}, {SPARE:g} times the distance that {likeness.quantile:.0%} of "
        f"{likeness.films:,} validation films do not exceed"
    )


def too_many_words(left_out: Sequence[str], most: int) -> str:
    """What happens to more films than are read at once, by the names of the others; empty without any."""
    if not left_out:
        return ""
    return (
        f"The first {most} of {most + len(left_out):,} are read, not {_named(left_out)}: upload these by "
        "themselves; xlite predict reads folders."
    )


def unread_words(unread: Sequence[str]) -> str:
    """Which films the CSV of what was found lacks, as they could not be read; empty without any."""
    if not unread:
        return ""
    return (
        f"As in the tables of xlite predict, the CSV has no row for {_named(unread)}, which could not be "
        "read: the report and the JSON say why."
    )


def films_table(films: Iterable[tuple[str, GuardedReading | str]]) -> Table:
    """A row a film by its name: what its guards say and its likeliest findings, or why it was not read."""
    rows = [[name, *film_cells(found)] for name, found in films]
    return Table(["Film", "Guards", "Likeliest findings"], rows, words=(1, 2))


def film_cells(found: GuardedReading | str) -> tuple[str, str]:
    """What the guards say of a film and its likeliest findings, in short; a str is why it was not read."""
    return ("not read", found) if isinstance(found, str) else (_verdict(found), _likeliest(found))


def learned_sentences(facts: Iterable[Fact], stem: str, split_id: str) -> list[str]:
    """What a model knows of a film that is called `stem` in the data folder; none if nothing is known."""
    said: dict[Fact, str] = {
        "train": f"It is {stem}, a film of the train part of split {split_id}: the model learned from it, so "
        "this answer does not show how it reads a film that is new to it.",
        "val": f"It is {stem}, a film of the val part of split {split_id}: the model's epoch, calibration "
        "and thresholds were chosen on these films.",
        "patient": f"It is {stem}, and the model knows other films of this patient, from the train or the "
        f"val part of split {split_id}.",
        "source": f"It is {stem}, and a teacher of the model, or a model that it started from, knows it.",
    }
    return [said[fact] for fact in facts]


def history_table(lines: Iterable[Sequence[str]]) -> Table:
    """A row for each film as a model read it, in this visit: film, model, guards, likeliest findings."""
    return Table(["Film", "Model", "Guards", "Likeliest findings"], list(lines), words=(1, 2, 3))


def _came(check: Check) -> str:
    """What was said of the picture before it was turned or inverted."""
    text = str(check)
    return f"As it came: {text[0].lower()}{text[1:]}"


def _verdict(film: GuardedReading) -> str:
    undone = [_UNDO[reason][1] for reason in film.undone]
    looks = [_UNDO[reason][2] for reason in film.guards.offers]
    said = _SHORT.get(film.guards.verdict)
    return ", ".join([*undone, *looks, *([said] if said else [])]) or "pass"


def _likeliest(film: GuardedReading) -> str:
    if film.reading is None:
        return " ".join(film.said.sentences)
    return ", ".join(
        f"{spoken(finding)} {percent(probability)}" for finding, probability in film.reading.top(3)
    )


def _named(films: Sequence[str]) -> str:
    more = len(films) - _MOST_NAMED
    return ", ".join(films[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _listed(steps: Sequence[str]) -> str:
    text = " and ".join(filter(None, [", ".join(steps[:-1]), steps[-1]]))
    return text[0].upper() + text[1:]
