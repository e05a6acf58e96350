from pathlib import Path

import pytest
from labelled import given, labelling_of

from xlite.labelling.entry import DrawnBox
from xlite.labelling.log import AnswerLog
from xlite.labelling.sitting import Sitting, boxes_of_others

ONE = "00000001_000"


def test_what_is_sent_is_done_and_counted(tiny_folder: Path):
    sitting = Sitting(labelling_of(tiny_folder), "Ann")
    for act, saved in (("answer", ONE), ("change", ""), ("undo", ""), ("undo", ""), ("next", "")):
        mass = "yes" if act == "change" else "no"
        sitting.take({"act": act, "film": ONE, "settles": False, **given(Mass=mass).model_dump()})
        assert (sitting.saved, sitting.error) == (saved, "")
    assert sitting.turn == 5
    assert [entry.act for entry in sitting.labelling.log.read()] == ["reading", "changed", "undone", "undone"]
    sitting.take({"act": "undo"})
    assert sitting.error == "Ann has no answer to take back"


def test_a_full_disk_is_said_and_the_film_stays(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch):
    sitting = Sitting(labelling_of(tiny_folder), "Ann")

    def full(self: AnswerLog, make: object) -> None:
        raise OSError(28, "No space left on device", "answers.jsonl")

    monkeypatch.setattr(AnswerLog, "append", full)
    sitting.take({"act": "answer", "film": ONE, **given().model_dump()})
    assert sitting.saved == "" and "disk is full" in sitting.error


@pytest.mark.parametrize(
    "sent", [{}, {"act": "answer"}, {"act": "answer", "film": ONE, "answers": 3}], ids=str
)
def test_whatever_a_browser_sends_leaves_the_log_as_it_was(tiny_folder: Path, sent: dict[str, object]):
    sitting = Sitting(labelling_of(tiny_folder), "Ann")
    sitting.take(sent)
    assert sitting.labelling.log.read() == []
    assert bool(sitting.error) == ("act" in sent)


def test_an_answer_to_a_film_of_no_list_is_refused(tiny_folder: Path):
    sitting = Sitting(labelling_of(tiny_folder), "Ann")
    sitting.take({"act": "answer", "film": "../../etc/passwd", **given().model_dump()})
    assert "is not in the worklist of ward" in sitting.error and sitting.labelling.log.read() == []


def test_boxes_are_in_px_of_the_picture(tiny_folder: Path):
    ward = labelling_of(tiny_folder, double=1.0)
    box = DrawnBox(finding="Pleural_Thickening", x=512, y=256, w=256, h=128)
    ward.answer("Ann", ONE, given(Pleural_Thickening="yes", boxes=[box]))
    assert boxes_of_others(ward.state().film(ONE).readings, (200, 100)) == [
        ("Pleural thickening (Ann)", 50.0, 50.0, 25.0, 25.0)
    ]
