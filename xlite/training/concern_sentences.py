"""What matters before a run is started, in words: a sentence a class of `concerns`, with settings as such."""

from collections.abc import Sequence
from typing import assert_never

from xlite.config import FOCAL, WEIGHTED
from xlite.errors import Setting
from xlite.report.caveat_sentences import sentence
from xlite.text import counted
from xlite.training.concerns import (
    AnyConcern,
    CostlyLoss,
    CostlySampler,
    LittleDisk,
    LittleMemory,
    NoFilms,
    NoPositives,
    Refused,
    SharedPatients,
    Slow,
    TeacherSaw,
)
from xlite.training.forecast import rounded


def concern_words(concern: AnyConcern) -> tuple[str, ...]:
    """A fact in the words of one sentence, without a capital and a full stop."""
    match concern:
        case NoFilms(folder, listed):
            return (
                f"there are no films in {folder}, only a table of {counted(listed, 'film')}: put them into "
                "its folder images",
            )
        case Refused(words):
            return words
        case SharedPatients(split, patients):
            return (
                f"the split {split!r} has {counted(patients, 'patient')} in more than one part, so its "
                "metrics flatter the model: ",
                Setting("split"),
                " patient has none",
            )
        case NoPositives(findings):
            return (without_positives_sentence(findings),)
        case TeacherSaw(seen):
            return (f"{sentence(seen)}: metrics on these films flatter the student",)
        case CostlyLoss(loss):
            return _of_loss(loss in WEIGHTED, loss in FOCAL)
        case CostlySampler():
            return (
                "balanced sampling has its price: it distorts probabilities until they are calibrated, and "
                "cost AUC on all the data; ",
                Setting("sampler"),
                " shuffle has none",
            )
        case Slow(seconds, epochs, size, measured):
            by = "as measured" if measured else "going by a small network on 2 cores"
            return (
                f"{counted(epochs, 'epoch')} at {size} px on a processor take about {rounded(seconds)}, "
                f"{by}: a GPU takes far less; or use fewer ",
                Setting("epochs"),
                " or a smaller ",
                Setting("image_size"),
            )
        case LittleMemory(needs, free):
            return (
                f"it needs about {needs:.1f} GB of memory and {free:.1f} GB are free: use a smaller ",
                Setting("batch_size"),
                " or ",
                Setting("auto_batch"),
            )
        case LittleDisk(needs, free):
            return (f"it writes {needs:.1f} GB and {free:.1f} GB are free on that disk: free some space",)
    assert_never(concern)


def without_positives_sentence(findings: Sequence[str]) -> str:
    """What it means that no training film is known to have these findings."""
    one = len(findings) == 1
    return (
        f"no training film is known to have {', '.join(findings)}: the model cannot learn "
        f"{'it' if one else 'them'}, and what it says of {'it' if one else 'them'} means nothing"
    )


def _of_loss(weighted: bool, focal: bool) -> tuple[str, ...]:
    """The price of a loss other than plain BCE, as a public attempt on all of NIH's films paid it."""
    kinds = [name for name, there in (("weighted", weighted), ("focal", focal)) if there]
    prices = ["0.022 by weights and a sampler"] * weighted + ["0.025 by focal"] * focal
    return (
        f"a {' and '.join(kinds)} loss has its price: a public attempt on all of NIH's films lost "
        f"{' and '.join(prices)} of mean AUC; ",
        Setting("loss"),
        " bce has none",
    )
