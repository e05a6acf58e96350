"""Judges models, predictions and maps, and writes what was found: all that commands and pages call for it."""

import importlib.util
import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from xlite.data.predictions import PREDICTIONS_FILE, write_predictions
from xlite.errors import CheckpointError, DataError, sentence
from xlite.evaluation.adaptation.adaptation import Adaptation
from xlite.evaluation.files import CURVES_FILE, LABELS_FILE, METRICS_FILE
from xlite.evaluation.films import Films, write_labels
from xlite.evaluation.localisation.localisation_report import LocalisationReport
from xlite.evaluation.options import KEEP, AdaptOptions, JudgeOptions, MapOptions, ScoreOptions
from xlite.evaluation.report import Report
from xlite.files import PLAIN_NAME, Progress, write_atomic
from xlite.metrics.bands import Curves, draw_curves
from xlite.metrics.bootstrap import Resamples
from xlite.models.available import MODEL_FILE
from xlite.places import checkpoints_dir
from xlite.report.adaptation import write_adaptation
from xlite.report.box_targets import write_targets
from xlite.report.curves_json import dump_curves
from xlite.report.document import Block, Chart, Text, to_html, to_markdown
from xlite.report.metrics_json import comparison_json, localisation_json, report_json
from xlite.report.sections.whole import whole
from xlite.report.sentences import calibrator_sentence, thresholds_sentence
from xlite.report.view import View
from xlite.report.worth import records_sentence
from xlite.text import counted

if TYPE_CHECKING:
    from xlite.classify import Classifier

log = logging.getLogger(__name__)

NO_CHARTS = (
    "report.html has no charts, which need plotly, and that is not installed: pip install 'xlite-cxr[report]'"
)


def evaluate_model(
    spec: str | Path,
    data: str | Path,
    split: str,
    part: str,
    out: str | Path,
    options: JudgeOptions | None = None,
) -> Report:
    """Judges a model on one part (train, val, test) of a folder's split, as `judge_model` does.

    Writes the report into `out`; then, if a calibrator was to be fitted, it and its thresholds into the model
    file, or with KEEP what these are worth, and the card beside it anew. Raises CheckpointError or DataError.
    """
    from xlite.evaluation.evaluate import judge_model

    options = options or JudgeOptions()
    found = judge_model(spec, data, split, part, options)
    if options.calibration is not None and found.classifier and found.validation:
        info, chosen_by = found.classifier.info, found.validation
        if options.calibration not in ("none", KEEP):
            said = calibrator_sentence(info.calibration, chosen_by.patients, info.notes.pooled)
            log.info("Calibration: %s", said)
        if options.calibration != KEEP:
            log.info("Thresholds: %s", thresholds_sentence(info.thresholds_chosen_on or {}))
        log.info("On the validation films: %s", records_sentence(info.validation or {}))
    write_report(out, found.report, found.films, found.resamples, options.pdf)
    write_targets(Path(out), found.targets)
    if options.calibration is not None and found.classifier is not None:  # last: nothing can fail behind it
        _keep_fitted(found.classifier, found.report, options.calibration)
    return found.report


def score_predictions(
    path: str | Path, table: str | Path, out: str | Path, options: ScoreOptions | None = None
) -> Report:
    """Judges anyone's predictions by an NIH table, as `judge_predictions` does; writes the report into `out`.

    A comparison with another model's predictions is in the report, and in comparison.json. Raises DataError.
    """
    from xlite.evaluation.score import judge_predictions

    options = options or ScoreOptions()
    found = judge_predictions(path, table, options)
    write_report(out, found.report, found.films, found.resamples, options.pdf)
    if found.report.comparison is not None:
        _write_json(Path(out) / "comparison.json", comparison_json(found.report.comparison))
    films = f"{len(found.films):,} of the {counted(found.listed, 'film')} of the table judged"
    log.info("%s, report in %s", films, out)
    return found.report


def localise_model(
    spec: str | Path,
    data: str | Path,
    split: str,
    part: str,
    out: str | Path,
    options: MapOptions | None = None,
    progress: Progress | None = None,
) -> LocalisationReport:
    """Judges a model's maps by boxes, as `judge_maps` does, and writes what was found into `out`.

    That is localisation.json, maps.png and targets.csv.

    Raises CheckpointError, DataError or ImageError.
    """
    from xlite.evaluation.localisation.localise import judge_maps
    from xlite.report.contact_sheet import draw_sheet

    found = judge_maps(spec, data, split, part, options or MapOptions(), progress)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    _write_json(out / "localisation.json", localisation_json(found.report), indent=2)
    draw_sheet(found.tiles, out / "maps.png")
    write_targets(out, found.targets)
    return found.report


def adapt_model_to(spec: str, data: Path, out: Path | None, options: AdaptOptions) -> tuple[Path, Adaptation]:
    """Adapts a model to a folder's films as `adapt_model` does; the new model is a file of its own.

    Writes it and its report into `out`, or into a folder of checkpoints/ named after model and data, and
    returns that folder. Raises CheckpointError if it has a model already, and CheckpointError or DataError.
    """
    from xlite.evaluation.adaptation.adapt import adapt_model
    from xlite.models.checkpoint import save_model

    target = out or _own_folder(spec, data)
    file = target / MODEL_FILE
    if file.exists():
        raise CheckpointError(f"{file} exists already: name another folder with --out, or delete it first")
    adapted = adapt_model(spec, data, options)
    write_adaptation(target, adapted.report)
    save_model(file, adapted.classifier.model, adapted.classifier.info)
    return target, adapted.report


def _own_folder(spec: str, data: Path) -> Path:
    model = Path(spec).parent.name if Path(spec).suffix else spec
    name = f"{model}-at-{data.resolve().name}"
    if not PLAIN_NAME.fullmatch(name):
        raise CheckpointError(f"{name!r} cannot be a model's name: name its folder with --out")
    return checkpoints_dir() / name


def write_report(
    out: str | Path, report: Report, films: Films, resamples: Resamples | None = None, pdf: bool = False
) -> None:
    """Writes predictions.csv, labels.csv, curves.json, report.html, .md and, last, metrics.json into `out`.

    resamples: those of the report, drawn anew if they are not at hand; pdf: writes report.pdf too, else one
    of an older report is removed. Each file is replaced whole. Raises DataError if the folder cannot be
    written.
    """
    out = Path(out)
    view = View(report, curves_of(report, films, resamples))
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_predictions(out / PREDICTIONS_FILE, films.names, films.probs)
        write_labels(out / LABELS_FILE, films)
        _write_json(out / CURVES_FILE, dump_curves(view.curves))
        write_atomic(out / "report.html", to_html(*_drawable(*whole(view))).encode())
        write_atomic(out / "report.md", to_markdown(*whole(view)).encode())
        (out / "report.pdf").unlink(missing_ok=True)
        if pdf:
            write_atomic(out / "report.pdf", _pdf(view))
        _write_json(out / METRICS_FILE, report_json(report))
    except OSError as error:
        raise DataError(f"the report cannot be written: {sentence(error, out)}") from error


def curves_of(report: Report, films: Films, resamples: Resamples | None = None) -> Curves:
    """The curves of the films judged; resamples as for `write_report`."""
    drawn, raw = report.bootstrap, expit(films.logits)
    calibrated = not np.allclose(raw, films.probs, atol=1e-6)
    resamples = resamples or Resamples(films.patients, drawn.resamples, drawn.seed)
    return draw_curves(films.labels, films.probs, resamples, raw if calibrated else None)


def _pdf(view: View) -> bytes:
    from xlite.report.document_pdf import to_pdf

    return to_pdf(*_drawable(*whole(view)), datetime.now(UTC))


def _drawable(title: str, blocks: list[Block]) -> tuple[str, list[Block]]:
    """The document; if there is no plotly, without its charts and with a sentence that says so."""
    if importlib.util.find_spec("plotly") is not None:
        return title, blocks
    log.warning("Warning: %s", NO_CHARTS)
    return title, [Text(NO_CHARTS), *(block for block in blocks if not isinstance(block, Chart))]


def _write_json(path: Path, content: dict[str, Any], indent: int = 1) -> None:
    write_atomic(path, (json.dumps(content, indent=indent, allow_nan=False) + "\n").encode())


def _keep_fitted(classifier: "Classifier", report: Report, calibration: str) -> None:
    """Saves what was fitted by that option, or recorded, in the model file; makes the card beside it anew."""
    from xlite.models.available import CARD_FILE
    from xlite.models.checkpoint import save_model
    from xlite.report.card import card_beside

    path, info, split = classifier.path, classifier.info, report.split
    save_model(path, classifier.model, info)
    films = counted(report.validation.films, "film")
    fitted = f"the calibrator {report.calibration.in_use!r} and its thresholds"
    kept = "what its thresholds are worth" if calibration == KEEP else fitted
    log.info("%s now holds %s, from %s", path, kept, films)
    if not path.with_name(CARD_FILE).is_file():
        return
    if (split.id, split.part) == (info.split_id, "test"):
        card_beside(path, classifier.model, info, report)
    else:
        log.info(
            "Its %s still has the metrics of the old one: judge the test part of %s", CARD_FILE, info.split_id
        )
