"""metrics.json and localisation.json: a typed report dumped, with its facts in words beside them.

Programs rely on the keys. `model_validate` of `Report` and `LocalisationReport` reads the files back.
"""

from typing import Any

from xlite.evaluation.localisation.localisation_report import LocalisationReport
from xlite.evaluation.report import Comparison, Metrics, Report
from xlite.report.caveat_sentences import sentence
from xlite.report.elsewhere_sentences import elsewhere_sentences
from xlite.report.sentences import (
    boxes_reason,
    clean,
    comparison_sentence,
    gap_sentence,
    reference_reason,
    validation_note,
)

Json = dict[str, Any]


def report_json(report: Report) -> Json:
    """metrics.json."""
    content = _with_warnings(report)
    contamination = report.contamination
    if contamination is not None:
        content["contamination"] |= {
            "reasons": [sentence(reason) for reason in contamination.reasons],
            "sentence": clean(report),
            "clean": contamination.clean and _with_warnings(contamination.clean),
        }
    content["validation"]["note"] = validation_note(report.validation)
    for attribute, found in report.subgroups.items():
        for written, gap in zip(content["subgroups"][attribute]["gaps"], found.gaps, strict=True):
            written["sentence"] = gap_sentence(attribute, gap)
    for written, reference in zip(content["references"], report.references, strict=True):
        written["reason"] = reference_reason(reference)
    content["localisation"] = report.localisation and localisation_json(report.localisation)
    if report.comparison is None:
        del content["comparison"]
    else:
        content["comparison"] = comparison_json(report.comparison)
    if report.elsewhere is None:
        del content["elsewhere"]
    else:
        content["elsewhere"]["sentences"] = elsewhere_sentences(report.elsewhere)
    return content


def localisation_json(found: LocalisationReport) -> Json:
    """localisation.json, and "localisation" in metrics.json."""
    content = _with_warnings(found)
    for written, one in zip(content["published"], found.published, strict=True):
        written["not_comparable"] = None if one.comparable else boxes_reason(one.comparable, found)
    return content


def comparison_json(comparison: Comparison) -> Json:
    """comparison.json, and "comparison" in metrics.json."""
    return {**comparison.model_dump(mode="json"), "sentence": comparison_sentence(comparison)}


def _with_warnings(found: Metrics | LocalisationReport) -> Json:
    warnings = [sentence(caveat) for caveat in found.caveats]
    return {**found.model_dump(mode="json"), "warnings": warnings}
