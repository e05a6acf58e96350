"""The model card: what a model is, what it learned from, how good it is, and what it is not for."""

from pathlib import Path

from xlite.evaluation.report import Report
from xlite.files import write_atomic
from xlite.findings import FINDINGS, spoken
from xlite.metrics.calibration import in_effect, uncalibrated
from xlite.metrics.estimate import Estimate
from xlite.metrics.per_finding import ECE_BINS
from xlite.models.available import CARD_FILE, teacher_parts
from xlite.models.info import ModelInfo, ModelNotes
from xlite.models.student import Student
from xlite.report.caveat_sentences import sentence
from xlite.report.document import marked_cell, to_markdown
from xlite.report.hand_thresholds import by_hand_section
from xlite.report.means import (
    CHOSEN_ON,
    films_of,
    fixed_findings,
    mean_rows,
    missing_intervals,
    of_labelled,
    positives,
    threshold_cells,
    undefined_resamples,
)
from xlite.report.model_words import behind, calibrating_films
from xlite.report.sentences import CALIBRATORS, clean_in_short, contaminated_films
from xlite.report.view import metric_cell
from xlite.report.worth import records_table
from xlite.text import are, counted, labels_of, number

_PURPOSE = """## What it is for

Research and teaching: comparing light models, distillation and maps on frontal chest films of adults.

## What it must not be used for

- No diagnosis, no triage, no decision about a person: it is not a medical device, and not validated as one.
- No lateral films, no other body parts, no children, no CT slices or photographs of screens.
- No statement that a finding is absent: a low probability is not a normal film.
- No comparison of its metrics with those of another split, another label edition or another mix of films.

The labels it learned from were taken from radiology reports by a program; against radiologists part of them
is wrong (for pneumothorax about half of the positive labels). A map shows what moved the score, not where a
finding is."""

_LOSSES = {
    "bce": "binary cross-entropy",
    "weighted_bce": "binary cross-entropy, rare findings weighted",
    "focal": "focal",
    "weighted_focal": "focal, rare findings weighted",
}
_MEANS = ("auc", "ap")
_SAMPLERS = {"shuffle": "shuffled", "balanced": "drawn so that rare findings come more often"}
_BALANCES = {"film": ", each data folder by its films", "folder": ", as many of each data folder"}


def _attention(name: str) -> str:
    return "no attention" if name == "none" else f"attention {name}"


def _backbone(info: ModelInfo) -> str:
    return f"{info.backbone}, its first {counted(info.stages, 'stage')}" if info.stages else info.backbone


def _head(hidden: int) -> str:
    return f"head of {hidden} units" if hidden else "head of one linear layer"


def _output(info: ModelInfo) -> dict[str, str]:
    """The rows on what it answers and how that is calibrated."""
    calibrator, bare = in_effect(info.calibration), uncalibrated(info.calibration)
    if calibrator is None:
        return {"Output": "14 scores 0-1 (not exclusive) in NIH order, not calibrated"}
    rows = {"Output": "14 probabilities (not exclusive) in NIH order"}
    some = f"{len(FINDINGS) - len(bare)} of {len(FINDINGS)} findings, " if bare else ""
    rows["Calibrated"] = f"{some}{CALIBRATORS[calibrator.method].how} on {calibrating_films(info)}"
    return rows | ({"Not calibrated": ", ".join(map(spoken, bare))} if bare else {})


def card_beside(file: Path, model: Student, info: ModelInfo, report: Report) -> None:
    """Writes the card beside a model file; the rest as for `write_card`."""
    parameters = sum(tensor.numel() for tensor in model.parameters())
    write_card(file.with_name(CARD_FILE), info, report, parameters, file.stat().st_size / 1e6)


def write_card(path: Path, info: ModelInfo, report: Report, parameters: int, megabytes: float) -> None:
    """Writes the card of one model; the rest as for `card`."""
    text = card(info.notes.run or path.parent.name, info, report, parameters, megabytes)
    write_atomic(path, text.encode())


def _doubts(notes: ModelNotes) -> dict[str, str]:
    """What was done to labels in doubt; nothing if it was trained on the labels as they are."""
    if not notes.labels_dropped and not notes.labels_softened:
        return {}
    return {"Labels in doubt": f"{notes.labels_dropped:,} dropped, {notes.labels_softened:,} softened"}


def card(name: str, info: ModelInfo, report: Report | None, parameters: int, megabytes: float) -> str:
    """The card of one model (Markdown) from what its file says, and from its report on the test part, if any.

    `megabytes` is the size of the model file.
    """
    notes = info.notes
    facts = {
        "Architecture": f"{_backbone(info)}, {_attention(info.attention)}, {_head(info.hidden)}, "
        f"{parameters / 1e6:.2f} M parameters, {megabytes:.1f} MB",
        "Input": f"one frontal film, grey, squashed to {info.preprocess.size} × {info.preprocess.size} px",
        **_output(info),
        "Trained on": f"{notes.trained_on or 'films not noted'}: the train part of split "
        f"{info.split_id}, {labels_of(info.label_version)}",
        "Starting weights": notes.started_from or "not noted",
        "Teacher": ", ".join(teacher_parts(notes.teacher or "")) or "none",
        **behind(notes),
        "Loss against labels": _LOSSES.get(notes.loss, "not noted"),
        "Order of films": _SAMPLERS.get(notes.sampler, "not noted") + _BALANCES.get(notes.balance, ""),
        **_doubts(notes),
        "Seed": "not noted" if notes.seed is None else str(notes.seed),
        "Best epoch": "not noted" if notes.epoch is None else str(notes.epoch),
    }
    lines = [f"# Model card: {name}", ""]
    lines += ["| | |", "|---|---|", *(f"| {title} | {value} |" for title, value in facts.items()), ""]
    metrics = _metrics(report) if report else ["## Metrics", "", "It was not evaluated on a test part."]
    lines += [*metrics, "", *_validation(info), *by_hand_section(info), _PURPOSE, ""]
    return "\n".join(lines)


def _metrics(report: Report) -> list[str]:
    """The report as a Markdown section: what it was measured on, a row a finding, the caveats."""
    split, contamination = report.split, report.contamination
    lines = [
        "## Metrics",
        "",
        f"Measured on the {split.part} part of split {split.id}: {counted(split.images, 'film')} of "
        f"{counted(split.patients, 'patient')}, {labels_of(split.label_version)}. In brackets 95 % intervals "
        f"by resampling patients ({report.bootstrap.resamples} times).",
        "",
    ]
    if contamination and not report.contaminated:
        lines += [f"{clean_in_short(report)}.", ""]
    elif contamination:
        lines += [
            f"**{contaminated_films(contamination.films, contamination.of)} {are(contamination.films)} not "
            f"new to what the model learned from (see the warnings), so the metrics are struck through.** "
            f"{clean_in_short(report)}.",
            "",
        ]
    lines += [
        *_table(report),
        "",
        f"Always answering no has an accuracy of {report.baseline.always_no_accuracy:.3f} on these films, so "
        f"accuracy says nothing. Expected calibration error ({ECE_BINS} bins, mean): "
        f"{number(report.macro.ece.value)}; as many films would have "
        f"{number(report.baseline.perfect_ece, 'more than 0')} if the probabilities were right.",
    ]
    if report.caveats:
        lines += ["", "Warnings:", "", *(f"- {sentence(caveat)}" for caveat in report.caveats)]
    return lines


def _validation(info: ModelInfo) -> list[str]:
    """What the validation films say of the thresholds, as a Markdown section; nothing from an old file."""
    if info.validation is None:
        return []
    zone = next(iter(info.validation.values())).zone
    said = (
        "What the thresholds did on the validation films, with the 95 % interval of what they will do on new "
        f"patients. With {100 * zone.confidence:.0f} % confidence each, at most {zone.missed:.0%} of "
        f"patients with a finding have a film with it below the low cut-off, and at most {zone.alarmed:.0%} "
        "of those without it a film without it at or above the high one; between the two the model is not "
        "sure."
    )
    table = to_markdown("", [records_table(info.validation, info.thresholds or {})])
    return ["## Validation films", "", said, "", table]


def _table(report: Report) -> list[str]:
    def said(value: Estimate | float | None) -> str:
        return marked_cell(metric_cell(value, report.contaminated))

    lines = [
        "| finding | positives | AUC | average precision | prevalence "
        "| threshold | chosen on | sensitivity | specificity |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for finding, one in report.per_class.items():
        values = [positives(one), said(one.auc), said(one.ap), number(one.prevalence)]
        rates = [said(one.recall), said(one.specificity)] if one.labelled else ["", ""]
        cells = [*of_labelled(one, values), *threshold_cells(one), *rates]
        lines.append(f"| {' | '.join([spoken(finding) + films_of(report, finding), *map(str, cells)])} |")
    for row in mean_rows(report, _MEANS):
        means = {name: said(estimate) for name, estimate in row.estimates.items()}
        share = number(row.prevalence["ap"], "")
        lines.append(f"| **{row.title}** | | **{means['auc']}** | {means['ap']} | {share} | | | | |")
    held = "Average precision holds at the prevalence beside it."
    named = fixed_findings(report, _MEANS)
    return [*lines, "", held, CHOSEN_ON, *named, *missing_intervals(report), *undefined_resamples(report)]
