"""`xlite evaluate` and `xlite score`: the report on a model, or on anyone's predictions."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from xlite.cli.console import DataFolders, Device, Json, Model, Out, busy, log_to, print_json, say
from xlite.split_names import ALL_FILMS, DEFAULT_SPLIT

if TYPE_CHECKING:
    from xlite.evaluation.report import Report

Radiologists = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Google's table of radiologists' labels, to stand beside NIH's"),
]
Predictions = Annotated[
    str,
    typer.Argument(
        metavar="PREDICTIONS.csv", help="14 probabilities a film; of several, joined by commas, the mean"
    ),
]
LabelTable = Annotated[Path, typer.Option(metavar="TABLE.csv", help="NIH's table, or the folder it lies in")]
Thresholds = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.json", help="A threshold a finding; without it what --validation chooses, else 0.5"
    ),
]
IgnoreUnknown = Annotated[bool, typer.Option("--ignore-unknown", help="Leave out films that the table lacks")]
Validation = Annotated[
    str | None,
    typer.Option(
        metavar="VAL.csv",
        help="Predictions of the same model for other films of the table: they choose thresholds and "
        "calibration, and the report says what each gives",
    ),
]
TrainedOn = Annotated[
    Path | None,
    typer.Option(
        metavar="LIST",
        help="Films that the model, or its teacher, learned from: those judged here are counted, and the "
        "metrics struck through",
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        metavar="OTHER.csv",
        help="Predictions of another model: the difference of mean AUC on the films both have, its 95 % "
        "interval and p from resampled patients, and whether it is a tie; written to comparison.json too",
    ),
]
Pdf = Annotated[bool, typer.Option("--pdf", help="Write the report as report.pdf too")]


def evaluate(
    model: Model,
    data: DataFolders,
    out: Out,
    split: Annotated[str, typer.Option(help="Split of the data folder")] = DEFAULT_SPLIT,
    part: Annotated[
        str,
        typer.Option(
            metavar=f"train|val|test|{ALL_FILMS}", help="Part of the split, or all films of the folder"
        ),
    ] = "test",
    device: Device = "cpu",
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Go on without the films that the folder lacks")
    ] = False,
    calibration: Annotated[
        Literal["platt", "temperature", "isotonic", "none", "keep"] | None,
        typer.Option(
            help="Fit this calibrator on the validation films first, and save it in the model file with the "
            "thresholds that go with it and what they are worth; every later prediction uses it. keep: leave "
            "both as they are, and save what they are worth",
        ),
    ] = None,
    folds: Annotated[
        str,
        typer.Option(
            metavar="RUN,RUN",
            help="Runs that each left a fold out, as `xlite sweep crossfit` makes them: what they say of it "
            "fits the calibrator, too, so that rare findings have patients enough",
        ),
    ] = "",
    radiologists: Radiologists = None,
    teacher_list: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="List of the films that its teacher was trained on, to count them; one for each teacher, "
            "with commas",
        ),
    ] = None,
    own_data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Data folder of the model's own split, if --data is another hospital's: what the guards say "
            "of its own test films, and their distances, stand beside",
        ),
    ] = None,
    pdf: Pdf = False,
    as_json: Json = False,
) -> None:
    """Judge a model on films with labels.

    Writes the whole report on one part of a split: report.html, report.md, metrics.json, and what they rest
    on, predictions.csv, labels.csv and curves.json. Thresholds and calibration are judged by the validation
    part of the model's own split; if films have boxes in the folder, the report says where the maps look.
    Films of a folder without that split are set beside the evaluation on its own test part, if that lies
    beside the model.
    """
    from xlite.data.layout import joined_data
    from xlite.evaluation.options import JudgeOptions
    from xlite.extras import demand
    from xlite.report.write import evaluate_model

    if pdf:
        demand("report")
    options = JudgeOptions(
        device=device,
        skip_missing=skip_missing,
        calibration=calibration,
        folds=tuple(filter(None, folds.split(","))),
        radiologists=radiologists,
        teacher_list=teacher_list,
        own_data=own_data,
        pdf=pdf,
    )
    with log_to(sys.stderr if as_json else sys.stdout):
        report = evaluate_model(model, joined_data(data), split, part, out, options)
    _print(report, out, as_json)


def score(
    predictions: Predictions,
    table: LabelTable,
    out: Out,
    thresholds: Thresholds = None,
    ignore_unknown: IgnoreUnknown = False,
    validation: Validation = None,
    trained_on: TrainedOn = None,
    radiologists: Radiologists = None,
    against: Against = None,
    pdf: Pdf = False,
    as_json: Json = False,
) -> None:
    """Judge the predictions of anyone's model.

    The labels come from NIH's table, or one like it; the report is the one that `evaluate` writes.
    """
    from xlite.evaluation.options import ScoreOptions
    from xlite.extras import demand
    from xlite.report.sentences import comparison_sentence
    from xlite.report.write import score_predictions

    if pdf:
        demand("report")
    options = ScoreOptions(
        thresholds=thresholds,
        ignore_unknown=ignore_unknown,
        validation=validation,
        radiologists=radiologists,
        trained_on=trained_on,
        against=against,
        pdf=pdf,
    )
    with log_to(sys.stderr if as_json else sys.stdout), busy("judging"):
        report = score_predictions(predictions, table, out, options)
    _print(report, out, as_json)
    if report.comparison and not as_json:
        say(comparison_sentence(report.comparison))


def _print(report: "Report", out: Path, as_json: bool) -> None:
    from xlite.report.metrics_json import report_json
    from xlite.report.terminal import summary

    if as_json:
        print_json(report_json(report))
        return
    say(summary(report))
    say(f"Report: {out / 'report.html'}")
