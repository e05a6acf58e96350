"""What the Explore page says about tables and films: values and sentences as text. No streamlit."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.doubted import doubts_of_film
from xlite.data.eda.history import parts_with, patient_rows
from xlite.data.eda.label_words import label_words, unknown_words
from xlite.data.eda.ranking import BY_MODEL, DOUBT, ModelProbabilities, loss, widest
from xlite.data.eda.statistics import LEAST_EXPECTED, Facts
from xlite.data.folder import NihFolder
from xlite.errors import Setting
from xlite.findings import FINDINGS, spoken
from xlite.labels import known
from xlite.messages import in_field_titles, literal
from xlite.text import NOT_LABELLED, counted, labels_of, percent, verb


def folder_caption(folder: NihFolder, public: bool) -> str:
    """A data folder, or several, the label edition and the size, in Markdown; the public learns no path."""
    films = counted(len(folder.table), "film")
    names = [part.root.name if public else str(part.root) for part in folder.parts]
    if len(names) == 1:
        return f"{literal(names[0])}, {labels_of(folder.label_version)}, {films} in the table"
    edition = labels_of(folder.label_version)
    return f"{' and '.join(map(literal, names))} as one, {edition}, {films} in their tables"


def headline(facts: Facts) -> dict[str, str]:
    """Films, patients and the shares that matter: {label: value}."""
    return {
        "Films": f"{facts.films:,}",
        "Patients": f"{facts.patients:,}",
        "Without finding": _share(facts.without_share),
        "Several findings": _share(facts.several_share),
    }


def _share(share: float) -> str:
    return "unknown" if np.isnan(share) else f"{share:.1%}"


def unknown_sentence(films: CodedFilms, keep: np.ndarray) -> str:
    """Which findings the folder does not label, and how many other labels are unknown of the films that are
    kept, bool (N,); empty if all are known.
    """
    return " ".join(unknown_words(films.labels[keep], films.labelled))


def cooccurrence_caption(by: str) -> str:
    """What the co-occurrence matrix shows, coloured by "lift" or "films"."""
    if by == "lift":
        return (
            "How many times more often than by chance two findings meet, whatever findings are chosen; empty "
            f"if chance alone would give fewer than {LEAST_EXPECTED} films. Amber: less often. A cell "
            "chooses its two findings."
        )
    return "Films that have both findings, whatever findings are chosen. A cell chooses its two."


def patients_caption(facts: Facts) -> str:
    """How many patients have several films, and why that matters."""
    if not facts.patients_with_several:
        return "No patient has more than one film."
    theirs = facts.films_of_patients_with_several / facts.films
    return (
        f"{facts.patients_with_several:,} patients have more than one film, one of them "
        f"{facts.most_films:,}; {theirs:.1%} of the films are theirs. So a split must go by patient."
    )


def prevalence_table(groups: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Films, and the share of each class among them, a column for each group: a table of texts.

    groups: frames of `statistics.prevalence_by`, such as those by view, sex and age band.
    """
    table = pd.concat(groups).rename(columns=spoken).T
    films = table.loc[["Films"]].map("{:,.0f}".format)
    shares = table.drop("Films").map(lambda share: "" if pd.isna(share) else f"{share:.2%}")
    return pd.concat([films, shares])


def film_caption(film: pd.Series, labelled: Collection[str] = FINDINGS) -> str:
    """A film's findings (`Mass, Nodule` or `No finding`), view, sex, age and stem, in Markdown.

    labelled: the findings that its folder labels; what is unknown of them is said.
    """
    labels = label_words(film[list(FINDINGS)].to_numpy(np.float32), labelled)
    age = "age unknown" if pd.isna(film["age"]) else f"{film['age']:.0f} y"
    view, sex, stem = (literal(film[name]) for name in ("view", "sex", "stem"))
    return f"**{labels}**  \n{view}, {sex}, {age}  \n{stem}"


def film_alt(film: pd.Series, boxes: int, labelled: Collection[str] = FINDINGS) -> str:
    """What a screen reader says of a film's picture; arguments as for `film_caption`."""
    labels = label_words(film[list(FINDINGS)].to_numpy(np.float32), labelled)
    drawn = f", with {counted(boxes, 'box', 'boxes')}" if boxes else ""
    return f"Chest X-ray {film['stem']}, labelled {labels}{drawn}"


def film_facts(films: CodedFilms, row: int, boxes: pd.DataFrame) -> list[str]:
    """Of the film at a row: its place among its patient's films, its boxes, its parts; in Markdown."""
    rows = patient_rows(films, row)
    place = int(np.flatnonzero(rows == row)[0]) + 1
    lines = [f"Follow-up {films.follow_ups[row]}, film {place} of {len(rows)} of the patient"]
    if len(boxes):
        names = ", ".join(spoken(name) for name in boxes["finding"])
        lines.append(f"{counted(len(boxes), 'box', 'boxes')}: {names}")
    if doubts := said_of_doubts(films, row):
        lines.append(f"In doubt: {doubts}")
    if parts := parts_with(films, row):
        lines.append(f"In {', '.join(map(literal, parts))}")
    elif films.parts:
        lines.append("In no part of a list or split of this folder")
    return lines


def probabilities_table(
    films: CodedFilms, row: int, judged: Mapping[str, ModelProbabilities]
) -> pd.DataFrame | None:
    """The findings of the film at a row, its labels, and each model's probabilities, the likeliest first.

    None if no model judged the film.
    """
    said = {model: one.probs[row] for model, one in judged.items() if not np.isnan(one.probs[row, 0])}
    if not said:
        return None
    label = [
        NOT_LABELLED if name not in films.labelled else _label_word(one)
        for name, one in zip(FINDINGS, films.labels[row], strict=True)
    ]
    table = pd.DataFrame({"Finding": [*map(spoken, FINDINGS)], "Label": label} | said)
    return table.sort_values(next(iter(said)), ascending=False, kind="stable", ignore_index=True)


def _label_word(label: float) -> str:
    return "unknown" if np.isnan(label) else "yes" if label > 0 else ""


def not_judged(models: Sequence[str], one: bool = False) -> str:
    """That no model has been judged on these films, or those named not on this one; and how to get it."""
    if one and models:
        return f"{' and '.join(map(literal, models))} judged films of this folder, but not this one."
    return (
        "No model has been judged on these films. The page Results judges one on a part of a split of this "
        "folder, and so does `xlite evaluate MODEL --data DATA --split SPLIT --part test --out "
        "checkpoints/MODEL/evaluation/test`."
    )


def order_sentence(
    order: str, judged: ModelProbabilities | None, rows: np.ndarray, films: CodedFilms | None = None
) -> str:
    """How many of the films at rows (n,) a model judged, and what the order means; empty without a model.

    films: those of the folder, whose labels may be unknown.
    """
    if order not in BY_MODEL or judged is None:
        return ""
    answered = int((~np.isnan(judged.probs[rows, 0])).sum())
    of = "the 14 findings" if films is None or films.all_known else "the findings whose label is known"
    means = {
        "probability": "The likeliest come first.",
        "disagreement": "First comes where the probability of one finding lies farthest from its label.",
        "loss": f"First comes the highest mean cross entropy over {of}.",
    }[order]
    left = "" if answered == len(rows) else " The others stand last."
    parts = ", ".join(map(literal, judged.parts))
    these = counted(len(rows), "film")
    return f"{literal(judged.model)} judged {answered:,} of these {these} ({parts}). {means}{left}"


def said_of_film(films: CodedFilms, row: int, judged: ModelProbabilities, order: str, finding: str) -> str:
    """What a model said of the film at a row, as far as the order asks for it, or `not judged`."""
    probs, label = judged.probs[row], films.labels[row]
    if np.isnan(probs[0]):
        return "not judged"
    if order == "probability":
        return f"{spoken(finding)} {percent(probs[FINDINGS.index(finding)])}"
    if not known(label).any():
        return "no label is known"
    if order == "loss":
        return f"loss {loss(label[None], probs[None])[0]:.3f}"
    name = widest(label, probs)
    says = "labelled" if label[FINDINGS.index(name)] > 0 else "not labelled"
    return f"{spoken(name)} {percent(probs[FINDINGS.index(name)])}, {says}"


def said_of_films(
    films: CodedFilms, rows: np.ndarray, judged: ModelProbabilities | None, order: str, finding: str
) -> list[str]:
    """What goes with the order, of each of the films at rows (n,): `said_of_doubts`, or `said_of_film` of
    the model `judged` that it is by; nothing if it is by neither.
    """
    if order == DOUBT:
        return [said_of_doubts(films, int(row)) for row in rows]
    if judged is None:
        return []
    return [said_of_film(films, int(row), judged, order, finding) for row in rows]


def doubts_sentence(films: CodedFilms, rows: np.ndarray) -> str:
    """How many of the films at rows (n,) have labels in doubt, or how to find out; in Markdown."""
    if films.doubted is None:
        return (
            "No list says which labels of this folder are in doubt. `xlite data doubts DATA --model MODEL` "
            "makes one, and this page finds it in the folder."
        )
    some = int((~np.isnan(films.doubted.ranks[rows])).sum())
    these = f"{some:,} of these {counted(len(rows), 'film')} {verb(some, 'has', 'have')} labels in doubt"
    return f"{these}, the most doubtful first. A label in doubt is often right: look at the film."


def said_of_doubts(films: CodedFilms, row: int) -> str:
    """Which labels of the film at a row are in doubt, the most doubtful first.

    `Mass labelled no, 91.2% likely`; empty if none is.
    """
    if films.doubted is None:
        return ""
    return "; ".join(doubts_of_film(films.labels[row], films.doubted.probs[row]).values())


def duplicates_sentence(found: Sequence[tuple[str, float]]) -> str:
    """Which of a patient's other films are near duplicates, with their correlations, in Markdown."""
    if not found:
        return "No other film of this patient looks nearly the same."
    films = ", ".join(f"{literal(stem)} ({alike:.3f})" for stem, alike in found)
    return f"Nearly the same (correlation of the greys at 32 px): {films}"


def split_sentence(counts: Mapping[str, tuple[int, int]], name: str) -> str:
    """What a split of chosen films holds, as {part: (films, patients)}, in Markdown."""
    parts = "; ".join(
        f"{part} {counted(films, 'film')} of {counted(patients, 'patient')}"
        for part, (films, patients) in counts.items()
    )
    how = literal(in_field_titles(("To train on it, set ", Setting("split"), f" to {name}.")))
    return f"The split {literal(name)} is written: {parts}. {how}"
