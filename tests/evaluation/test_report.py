"""The typed report: read back from today's files and from old ones, with every key kept."""

import json
from pathlib import Path

import numpy as np
import pytest
from demo_home import drawn_films

from xlite.evaluation.contamination.caveats import Said, TrainedOn
from xlite.evaluation.full_report import InUse, ValidationFilms, full_report
from xlite.evaluation.report import Report
from xlite.evaluation.report_base import Stamp
from xlite.evaluation.validation_report import Validation
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate

OLD = Path(__file__).parents[1] / "data" / "old_run" / "evaluation" / "metrics.json"


def drawn_report(**options) -> Report:
    films, validation = (drawn_films(np.random.default_rng(seed), 200 * seed) for seed in (0, 1))
    return full_report(
        films,
        Stamp("m", "s", "test", "2020"),
        Resamples(films.patients, 9),
        InUse(None, "none"),
        ValidationFilms(validation, Validation(films=200, split_id="s")),
        **options,
    )


def _kept(old: object, new: object) -> object:
    """What a document has of the keys of an old one."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {key: _kept(old[key], new[key]) for key in old}
    return new


@pytest.mark.slow
def test_a_report_is_read_back_but_for_the_stems() -> None:
    stems = frozenset(drawn_films(np.random.default_rng(0)).stems[:10])
    report = drawn_report(caveats=[TrainedOn(films=200, known=10, stems=stems)])
    content = json.loads(report.model_dump_json())
    assert "stems" not in content["caveats"][0]
    again = Report.model_validate(content)
    assert again.model_dump() == report.model_dump()
    assert again.caveats[0].stems == frozenset() and again.caveats[1:] == report.caveats[1:]


@pytest.mark.slow
def test_reasons_in_words_become_the_caveats_that_count_films() -> None:
    stems = frozenset(drawn_films(np.random.default_rng(0)).stems[:10])
    report = drawn_report(caveats=[TrainedOn(films=200, known=10, stems=stems)])
    content = json.loads(report.model_dump_json())
    content["contamination"]["reasons"] = ["the model was trained on 10 of these films"]
    content["warnings"] = ["the model was trained on 10 of these films", "others"]
    assert Report.model_validate(content).model_dump() == report.model_dump()


@pytest.mark.slow
def test_a_metric_is_an_estimate_whichever_way_it_is_kept() -> None:
    report = drawn_report()
    mass = report.per_class["Mass"]
    assert mass.estimate("auc") == mass.auc
    assert mass.estimate("f1") == Estimate(mass.f1, *mass.intervals["f1"])
    assert report.macro.estimate("ece") == report.macro.ece
    point = report.operating_points["youden"].per_class["Mass"]
    assert point.estimate("recall") == point.recall


def test_a_report_of_old_is_read_with_its_words() -> None:
    content = json.loads(OLD.read_text())
    report = Report.model_validate(content)
    assert [caveat.text for caveat in report.caveats] == content["warnings"]
    assert report.validation.text == content["validation"]["note"]
    assert [one.reason for one in report.references] == [one["reason"] for one in content["references"]]
    assert report.localisation.caveats[0].text == content["localisation"]["warnings"][0]
    assert report.localisation.published[0].comparable is False
    assert report.per_class["Mass"].threshold == content["per_class"]["Mass"]["threshold"]
    written = json.loads(report.model_dump_json())
    for key in ("split", "macro", "per_class", "operating_points", "calibration", "confusion"):
        assert _kept(content[key], written[key]) == content[key], key
    for key in ("methods", "findings", "grid", "cell", "split", "bootstrap"):
        old = content["localisation"][key]
        assert _kept(old, written["localisation"][key]) == old, key


def test_an_old_contaminated_report_has_its_reasons() -> None:
    content = json.loads(OLD.read_text())
    said = ["teacher contamination: a teacher was trained on them", "others"]
    contamination = {"films": 3, "of": 7, "reasons": said[:1]}
    report = Report.model_validate({**content, "warnings": said, "contamination": contamination})
    reason = Said(text=said[0], by_teacher=True, known=3)
    assert report.caveats == (reason, Said(text="others"))
    assert report.contamination.reasons == (reason,)
    assert report.contamination.clean is None


def test_gaps_of_old_keep_their_sentence() -> None:
    content = json.loads(OLD.read_text())
    nothing = {"value": -0.1, "low": -0.2, "high": -0.05}
    gap = {"between": ["AP", "PA"], "finding": None, "difference": nothing, "larger_than_noise": True}
    content["subgroups"]["view"]["gaps"] = [gap | {"sentence": "It is higher."}]
    [read] = Report.model_validate(content).subgroups["view"].gaps
    assert (read.text, read.values, read.difference) == ("It is higher.", None, Estimate(-0.1, -0.2, -0.05))
