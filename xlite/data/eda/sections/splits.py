"""Sections of the report about what training and testing make of the films: splits, batches, labels."""

import pandas as pd

from xlite.data.eda.markdown import of, percent, table
from xlite.data.eda.partitions import widest_shift
from xlite.data.eda.survey import Survey
from xlite.findings import FINDINGS, NO_FINDING, spoken


def parts(figures: Survey) -> str:
    """Leakage and balance of each list and split, and what they share with each other."""
    if not figures.balance:
        return ""
    sections = [
        "## Splits\n\nThe lists and splits in the folder, and two that X-Lite draws from the table: its own "
        "(`patient`, no patient in two parts) and the design document's (`image`, film by film).\n\n"
        + leakage_table(figures)
    ]
    for name, counts in figures.balance.items():
        films = ("films", *(f"{number:,}" for number in counts["films"]))
        patients = ("patients", *(f"{number:,}" for number in counts["patients"]))
        classes = (
            (
                one,
                *(f"{n:,} ({of(n, total)})" for n, total in zip(counts[one], counts["films"], strict=True)),
            )
            for one in (NO_FINDING, *FINDINGS)
        )
        rows = [films, patients, *classes]
        sections.append(f"### {name}\n\n" + table((name, *counts.index), rows, numbers=len(counts)))
    if len(figures.overlaps):
        sections.append(
            "### Across the lists\n\nA model (or a teacher) that learned on one list and is judged on "
            "another has seen films of its test. Only the clean ones may be counted.\n\n"
            + overlaps_table(figures)
        )
    return "\n\n".join(sections)


def leakage_table(figures: Survey) -> str:
    """A row a split: sizes, shared patients, films whose patient was seen, the finding that shifts most."""
    rows = []
    for name, leak in figures.leakage.iterrows():
        counts = figures.balance[name]
        shift = widest_shift(counts)
        rows.append(
            (
                str(name),
                " / ".join(f"{n:,}" for n in counts["films"]),
                f"{leak['shared_patients']:,.0f}",
                percent(leak["val_seen"]),
                percent(leak["test_seen"]),
                percent(leak["test_seen_or_val"]),
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


def overlaps_table(figures: Survey) -> str:
    """What a model trained on one list has seen of another one's test films."""
    rows = (
        (
            one.test,
            one.trained_on,
            *(f"{n:,}" for n in (one.films, one.in_train, one.in_train_or_val, one.clean)),
        )
        for one in figures.overlaps.itertuples()
    )
    header = ("test part of", "for a model trained on", "films", "in train", "in train or val", "clean")
    return table(header, rows, numbers=4)


def batches(figures: Survey) -> str:
    """What the balanced sampler and the class weights do to a batch."""
    made = figures.batches
    return f"""## What the sampler and class weights do to a batch

{batches_sentence(figures)} Beside each measured mean stands what follows from the counts.

{sampler_table(figures)}

Class weights leave the batch as it is and change what its films count. `N / (C n)` is the design document's
weight; X-Lite's weighted BCE takes it as `pos_weight`, but never below 1. The last columns are the share of
the loss's weight that lies on positive films, over the same {made.drawn:,} shuffled batches.

{weights_table(figures)}"""


def batches_sentence(figures: Survey) -> str:
    """How the batches were drawn, and what a balanced epoch leaves out."""
    made = figures.batches
    return (
        f"{made.drawn:,} batches of {made.size} films were drawn each way, by the functions that training "
        f"uses. An epoch of the balanced sampler sees {made.seen:.1%} of the films, one of them "
        f"{made.most} times."
    )


def sampler_table(figures: Survey) -> str:
    """Films of each class in a batch, shuffled and balanced, measured and computed."""
    rows = (
        (
            str(name),
            f"{row.in_batch:.2f} ({row.expected:.2f})",
            f"{row.without:.1%}",
            f"{row.balanced:.2f} ({row.balanced_expected:.2f})",
            f"{row.balanced_without:.1%}",
            "" if pd.isna(row.repeats) else f"{row.repeats:.2f}",
        )
        for name, row in figures.batches.classes.iterrows()
    )
    header = (
        "finding",
        "shuffled: films of a batch",
        "batches without",
        "balanced: films of a batch",
        "batches without",
        "draws of one film an epoch",
    )
    return table(header, rows, numbers=5)


def weights_table(figures: Survey) -> str:
    """The weights of each finding, and what part of the loss its positive films are."""
    known = figures.batches.classes.loc[list(FINDINGS)].dropna(subset="weight")
    rows = (
        (
            str(name),
            f"{row.weight:.2f}",
            f"{row.pos_weight:.2f}",
            percent(row.pull),
            percent(row.weighted_pull),
        )
        for name, row in known.iterrows()
    )
    header = ("finding", "N / (C n)", "pos_weight", "positive share, plain", "weighted")
    return table(header, rows, numbers=4)


def difference(figures: Survey) -> str:
    """What another edition of the table says differently."""
    found = figures.difference
    if found is None:
        return (
            f"## Label editions\n\nOnly the {figures.label_version} edition is here. "
            "`--other-table FILE` compares another one with it."
        )
    details = ", ".join(f"{name.replace('_', '-')} {films:,}" for name, films in found.details.items())
    rows = (
        (str(name), *(f"{n:,}" for n in (row.here, row.there, row.only_here, row.only_there)))
        for name, row in found.findings.iterrows()
    )
    header = ("finding", figures.label_version, found.version, "only here", "only there")
    return f"""## Label editions

This folder's table ({figures.label_version}) beside `{found.other}` ({found.version}): {found.films:,} films
are in both, {found.here:,} only here, {found.there:,} only there. The findings of {found.label_sets:,} films
differ. Other columns that differ, in films: {details}.

{table(header, rows, numbers=4)}"""
