"""How figures are written wherever a person reads them. No torch."""

from xlite.evaluation.doubts import TEACHER
from xlite.text import counted
from xlite.text import interval as worded


def mean_of(report: dict) -> str:
    """`mean of 14`, or of as many findings as have an AUC on these films."""
    return f"mean of {sum(figures['auc']['value'] is not None for figures in report['per_class'].values())}"


def source(report: dict) -> str:
    """One line that belongs on each of its figures: split, part, films, patients, labels, seeds."""
    split, drawn, seed = report["split"], report["bootstrap"], report.get("training_seed")
    trained = "" if seed is None else f"trained with seed {seed}; "
    return (
        f"split {split['id']}, {split['part']} part: {counted(split['images'], 'film')} of "
        f"{counted(split['patients'], 'patient')}, {split['label_version']} labels; {trained}95 % intervals "
        f"from {drawn['resamples']:,} resamples of patients, seed {drawn['seed']}"
    )


def known_films(report: dict) -> str:
    """`98 of 150 test films are known to its teacher` of a contaminated report."""
    spoiled = report["contamination"]
    taught = all(reason.startswith(TEACHER) for reason in spoiled["reasons"])
    return (
        f"{spoiled['films']:,} of {spoiled['of']:,} {report['split']['part']} films are known to "
        f"{'its teacher' if taught else 'the model or its teacher'}"
    )


def clean(report: dict) -> str:
    """What the mean AUC is on those films of a contaminated report that are new to what is judged."""
    spoiled = report["contamination"]
    figures = spoiled.get("clean")
    if figures is None:
        if spoiled["films"] == spoiled["of"]:
            return "There are no figures on clean films alone: none is left"
        return (
            "There are no figures on clean films alone: it cannot be told which those are; xlite evaluate … "
            "--teacher-list FILE, a list of its teacher's training films, tells"
        )
    split = figures["split"]
    return (
        f"On the {counted(split['images'], 'clean film')}, of {counted(split['patients'], 'patient')} new to "
        f"what the model learned from, the mean AUC is {interval(figures['macro']['auc'])}, "
        f"{mean_of(figures)}"
    )


def interval(figure: dict) -> str:
    """`0.812 (0.790–0.834)` of {value, low, high}; `undefined` where there is no value."""
    return worded(figure["value"], figure["low"], figure["high"])
