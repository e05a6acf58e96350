"""The section of the report about lists and splits: leakage, balance, overlaps."""

from xlite.data.eda.markdown import of, percent, table
from xlite.data.eda.partitions import widest_shift
from xlite.data.eda.survey import Survey
from xlite.findings import FINDINGS, NO_FINDING, spoken


def splits(survey: Survey) -> str:
    """Leakage and balance of each list and split, and what they share with each other."""
    if not survey.balance:
        return ""
    sections = [
        "## Splits\n\nThe lists and splits in the folder, and two that X-Lite draws from the table: its own "
        "(`patient`, no patient in two parts) and the design document's (`image`, film by film).\n\n"
        + leakage_table(survey)
    ]
    for name, counts in survey.balance.items():
        films = ("films", *(f"{number:,}" for number in counts["films"]))
        patients = ("patients", *(f"{number:,}" for number in counts["patients"]))
        told = survey.known_of_parts[name]
        classes = (
            (one, *map(_share, counts[one], told[one], counts["films"]))
            for one in (NO_FINDING, *FINDINGS)
            if one not in survey.not_labelled
        )
        rows = [films, patients, *classes]
        sections.append(f"### {name}\n\n" + table((name, *counts.index), rows, numbers=len(counts)))
    if len(survey.overlaps):
        sections.append(
            "### Across the lists\n\nA model (or a teacher) that learned on one list and is judged on "
            "another has seen films of its test. Only the clean ones may be counted.\n\n"
            + overlaps_table(survey)
        )
    return "\n\n".join(sections)


def _share(count: int, told: int, films: int) -> str:
    """Films of a part with a class, and their share of those of which that is known."""
    if films and not told:
        return "unknown"
    return f"{count:,} ({of(count, told)}{'' if told == films else f' of {told:,} known'})"


def leakage_table(survey: Survey) -> str:
    """A row for each split: sizes, shared patients, films of seen patients, the finding that shifts most."""
    rows = []
    for name, leak in survey.leakage.items():
        counts = survey.balance[name]
        shift = widest_shift(counts, survey.known_of_parts[name])
        rows.append(
            (
                name,
                " / ".join(f"{n:,}" for n in counts["films"]),
                f"{leak.shared_patients:,}",
                percent(leak.val_seen),
                percent(leak.test_seen),
                percent(leak.test_seen_or_val),
                f"{spoken(shift[0])} {shift[1]:.2%} → {shift[2]:.2%}" if shift else "",
            )
        )
    header = (
        "split",
        "films of each part",
        "patients in two parts",
        "val films whose patient is in train",
        "test films whose patient is in train",
        "in train or val",
        "most shifted from train to test",
    )
    return table(header, rows, numbers=6)


def overlaps_table(survey: Survey) -> str:
    """What a model trained on one list has seen of another one's test films."""
    rows = (
        (
            one.test,
            one.trained_on,
            *(f"{n:,}" for n in (one.films, one.in_train, one.in_train_or_val, one.clean)),
        )
        for one in survey.overlaps.itertuples()
    )
    header = ("test part of", "for a model trained on", "films", "in train", "in train or val", "clean")
    return table(header, rows, numbers=4)
