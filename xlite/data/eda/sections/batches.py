"""The section of the report about batches: what the balanced sampler and class weights do to them."""

import pandas as pd

from xlite.data.eda.markdown import percent, table
from xlite.data.eda.survey import Survey
from xlite.findings import FINDINGS


def batches(survey: Survey) -> str:
    """What the balanced sampler and the class weights do to a batch."""
    made = survey.batches
    return f"""## What the sampler and class weights do to a batch

{batches_sentence(survey)} Beside each measured mean stands what follows from the counts.

{sampler_table(survey)}

Class weights leave the batch as it is and change what its films count. `N / (C n)` is the design document's
weight; X-Lite's weighted BCE takes it as `pos_weight`, but never below 1. The last columns are the share of
the loss's weight that lies on positive films, over the same {made.drawn:,} shuffled batches.

{weights_table(survey)}"""


def batches_sentence(survey: Survey) -> str:
    """How the batches were drawn, and what a balanced epoch leaves out."""
    made = survey.batches
    return (
        f"{made.drawn:,} batches of {made.size} films were drawn each way, by the functions that training "
        f"uses. An epoch of the balanced sampler sees {made.seen:.1%} of the films, one of them "
        f"{made.most} times."
    )


def sampler_table(survey: Survey) -> str:
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
        for name, row in survey.batches.classes.drop(survey.not_labelled).iterrows()
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


def weights_table(survey: Survey) -> str:
    """The weights of each finding, and what part of the loss its positive films are."""
    weighted = survey.batches.classes.loc[list(FINDINGS)].dropna(subset="weight")
    rows = (
        (
            str(name),
            f"{row.weight:.2f}",
            f"{row.pos_weight:.2f}",
            percent(row.pull),
            percent(row.weighted_pull),
        )
        for name, row in weighted.iterrows()
    )
    header = ("finding", "N / (C n)", "pos_weight", "positive share, plain", "weighted")
    return table(header, rows, numbers=4)
