"""What Explore says of splits, uploaded lists, batches and editions: tables of texts and sentences."""

from collections.abc import Mapping, Sequence

import pandas as pd

from xlite.data.eda.batch_composition import Batches
from xlite.data.eda.editions import EditionDifference
from xlite.data.eda.label_words import untold
from xlite.data.eda.partitions import Leakage
from xlite.data.leakage import LeakageReport
from xlite.data.tables import read_list
from xlite.errors import DataError
from xlite.findings import spoken
from xlite.text import counted, verb


def stems_of_upload(name: str, content: bytes) -> list[str]:
    """The films of an uploaded list, as `read_list` reads them; DataError with the name that it came with."""
    stems = read_list(name, content)
    if not stems:
        raise DataError(f"{name} lists no film; give a film's name on each line")
    return stems


def leakage_sentence(found: LeakageReport) -> str:
    """What films judged share with those learned from, in one sentence."""
    if not found.shared_patients:
        return (
            f"Nothing leaks: the {counted(found.test_images, 'film')} judged are of "
            f"{counted(found.test_patients, 'patient')}, none of whom has a film among the "
            f"{found.train_images:,} learned from."
        )
    return (
        f"{counted(found.affected_images, 'film')} of {found.test_images:,} judged "
        f"({found.affected_share:.1%}) "
        f"{verb(found.affected_images, 'shows', 'show')} a patient who was learned from: "
        f"{counted(found.shared_patients, 'patient')} and {counted(found.shared_images, 'film')} are in both."
    )


def leakage_table(found: Mapping[str, Leakage]) -> pd.DataFrame:
    """The leakage of each list and split, by name as from `partitions.leakage`: a table of texts."""
    rows = {name: vars(one) for name, one in found.items()}
    titles = {
        "shared_patients": "Patients in several parts",
        "val_seen": "Val films with a patient of train",
        "test_seen": "Test films with a patient of train",
        "test_seen_or_val": "Test films with a patient of train or val",
    }
    table = pd.DataFrame.from_dict(rows, orient="index")[list(titles)].rename(columns=titles)
    first, *others = titles.values()
    table[first] = table[first].map("{:,.0f}".format)
    for title in others:
        table[title] = [_share(value) for value in table[title]]
    return table.rename_axis("List or split").reset_index()


def _share(value: float | None) -> str:
    return "no such part" if value is None or pd.isna(value) else f"{value:.1%}"


def balance_table(balance: pd.DataFrame, told: pd.DataFrame, words: Sequence[str]) -> pd.DataFrame:
    """`partitions.balance` with a row for each class: in each part its films and their share; as texts.

    told: `partitions.known_of_parts`, the films that a share is of. words: the names of the classes as a page
    writes them, in the order of the columns behind the first two.
    """
    rows = {"Films": [f"{value:,}" for value in balance["films"]]}
    rows["Patients"] = [f"{value:,}" for value in balance["patients"]]
    for name, word in zip(balance.columns[2:], words, strict=True):
        counts = zip(balance[name], told[name], balance["films"], strict=True)
        rows[word] = [share_in_part(name, *count, "{:,}  ({:.2%})") for count in counts]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(balance.index))
    return table.rename_axis("").reset_index()


def share_in_part(name: str, count: int, told: int, films: int, form: str) -> str:
    """How many of a part's films have a class, and their share of those of which that is known; both in form.

    If that is not all films, the number of those is said too.
    """
    if films and not told:
        return untold(name)
    text = form.format(count, count / max(told, 1))
    return text if told == films else f"{text} of {told:,} known"


def batches_table(found: Batches) -> pd.DataFrame:
    """Of each class the films in a shuffled and in a balanced batch, and its weights: a table of texts."""
    columns = {
        "in_batch": ("Films in a batch", "{:.2f}"),
        "without": ("Batches without it", "{:.1%}"),
        "balanced": ("With the sampler", "{:.2f}"),
        "balanced_without": ("Batches without it, sampler", "{:.1%}"),
        "repeats": ("Draws of one of its films", "{:.2f}"),
        "pos_weight": ("Weight of positives", "{:.1f}"),
        "pull": ("Their share of the loss", "{:.1%}"),
        "weighted_pull": ("The same, weighted", "{:.1%}"),
    }
    table = pd.DataFrame(
        {
            title: ["" if pd.isna(value) else form.format(value) for value in found.classes[name]]
            for name, (title, form) in columns.items()
        }
    )
    table.insert(0, "Class", [spoken(str(name)) for name in found.classes.index])
    return table


def batches_sentence(found: Batches) -> str:
    """What an epoch of the balanced sampler sees."""
    return (
        f"An epoch of the balanced sampler draws {found.seen:.1%} of the films at least once and one of them "
        f"{counted(found.most, 'time')}. Both make the probabilities of rare findings too high."
    )


def editions_table(found: EditionDifference) -> pd.DataFrame:
    """Of each finding its films here, there, and in one edition alone, of the films in both.

    And how many have a label that is unknown, if any has.
    """
    titles = {"here": "Here", "there": "There", "only_here": "Only here", "only_there": "Only there"}
    if found.findings["unknown"].any():
        titles["unknown"] = "Unknown"
    table = found.findings[list(titles)].rename(columns=titles, index=spoken)
    return table.rename_axis("Finding").reset_index()
