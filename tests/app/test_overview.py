"""The Overview page: the model on duty, its test AUC, the data and the runs."""

from pathlib import Path

import pytest
from app_pages import page, words
from demo_home import BACKBONE, SPLIT, save_demo_evaluation, save_demo_model

from xlite.config import make_config
from xlite.evaluation.caveats import Listed, TeacherKnows
from xlite.evaluation.source_facts import SeenByTeacher
from xlite.report.means import shown_mean
from xlite.runs.run import Run

SEEN = SeenByTeacher(split_id="s", part="test", films=200, trained=60, with_val=60, patients=60)
pytestmark = pytest.mark.usefixtures("one_scan", "no_charts", "only_this_home")


def test_it_tells_model_auc_data_and_runs(own_home: Path, tiny_folder: Path) -> None:
    save_demo_model(own_home)
    report = save_demo_evaluation(own_home)
    Run.create(make_config({"data": tiny_folder, "name": "first"}))
    text = words(page("overview", data=str(tiny_folder)).run())
    auc = report.macro.auc
    assert f"**{auc.value:.3f} ({auc.low:.3f}–{auc.high:.3f})**" in text
    assert "**demo0**" in text and BACKBONE in text and f"split {SPLIT}" in text
    assert "**24 films**" in text and "12 patients, 2020 labels" in text


def test_a_contaminated_auc_is_struck_through_beside_that_of_clean_films(own_home: Path) -> None:
    save_demo_model(own_home)
    stems = frozenset(f"{number:08d}_000" for number in range(60))
    teacher = TeacherKnows(teachers=(SEEN,), known=60, stems=stems)
    report = save_demo_evaluation(own_home, caveats=[teacher])
    text = words(page("overview").run())
    assert report.contamination and report.contamination.clean
    assert f"**{shown_mean(report.contamination.clean, 'auc')}**" in text and "on the 140 clean films" in text
    assert f"~~{report.macro.auc}~~ on all: 60 of 200 test films are known to its teacher" in text
    assert text.count("95 % interval") == 1
    save_demo_evaluation(own_home, caveats=[Listed(list_name="own.txt", films=200, inside=7, known=7)])
    text = words(page("overview").run())
    assert f"**~~{report.macro.auc}~~**" in text and "There are no metrics on clean films alone" in text
    assert "7 of 200 test films are known to the model or its teacher. " in text
