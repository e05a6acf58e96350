"""`xlite duty`, and who goes by it: `xlite share` and `xlite serve` without a model."""

import json
from pathlib import Path

import pytest
from command_line import Command
from demo_home import SPLIT, save_demo_evaluation, save_demo_model

from xlite.cli import models, serve
from xlite.evaluation.contamination.caveats import Listed
from xlite.models import available
from xlite.places import bundled, duty_json
from xlite.report.sentences import source

pytestmark = pytest.mark.usefixtures("no_charts")
SHARE, SERVE = str(bundled("app", "share.py")), str(bundled("app", "serve.py"))


@pytest.fixture
def two_models(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The shipped model and a run `mine`."""
    monkeypatch.setattr(available, "bundled", (tmp_path / "package").joinpath)
    return save_demo_model(tmp_path / "package", "demo"), save_demo_model(own_home, "mine", seed=1)


@pytest.mark.slow
def test_it_says_chooses_and_goes_back(xlite: Command, two_models: tuple[Path, Path], own_home: Path) -> None:
    shipped, mine = two_models
    unknown = "How good it is is not known: it has no report on test films. The Results page measures it."
    at_first = f"demo is on duty, as nobody chose another ({shipped}).\n{unknown}\n"
    assert xlite("duty") == (0, at_first, "")
    report = save_demo_evaluation(own_home, "mine")
    chosen = (
        f"mine is on duty, by choice ({mine}).\nMean AUC {report.macro.auc}, mean of 13; {source(report)}.\n"
    )
    assert xlite("duty", "mine") == (0, chosen, "")
    assert xlite("duty") == (0, chosen, "")
    assert xlite("duty", "--reset") == (0, at_first, "")
    assert xlite("duty", "demo") == (0, at_first.replace("as nobody chose another", "by choice"), "")


@pytest.mark.slow
def test_it_answers_in_json(xlite: Command, two_models: tuple[Path, Path], own_home: Path) -> None:
    shipped, mine = two_models
    known = Listed(list_name="own.txt", films=200, inside=7, known=7)
    report = save_demo_evaluation(own_home, "mine", caveats=[known])
    status, out, _ = xlite("duty", "mine", "--json")
    answer = json.loads(out)
    assert status == 0
    assert answer.pop("warning").startswith("7 of 200 test films are known to the model or its teacher.")
    assert answer == {
        "model": "mine",
        "file": str(mine),
        "chosen": True,
        "fault": None,
        "test_auc": None,
        "test_auc_low": None,
        "test_auc_high": None,
        "split": SPLIT,
    }
    report = save_demo_evaluation(own_home, "mine")
    auc = report.macro.auc
    answer = json.loads(xlite("duty", "--json")[1])
    assert [answer[f"test_auc{end}"] for end in ("", "_low", "_high")] == [auc.value, auc.low, auc.high]
    assert answer["warning"] is None


@pytest.mark.slow
def test_a_lost_choice_is_a_warning_beside_the_answer(
    xlite: Command, two_models: tuple[Path, Path], own_home: Path
) -> None:
    _, mine = two_models
    xlite("duty", "mine")
    mine.unlink()
    status, out, err = xlite("duty")
    assert (status, out.startswith("demo is on duty, as nobody chose another")) == (0, True)
    assert err == "Warning: run 'mine' was put on duty and has no model any more: demo takes its place\n"
    duty_json().write_text("{")
    assert xlite("duty")[2].startswith("Warning: which model was put on duty cannot be read from")
    assert json.loads(xlite("duty", "--json")[1])["fault"].startswith("which model was put on duty")


def test_bad_words_are_one_sentence(xlite: Command, two_models: tuple[Path, Path]) -> None:
    status, out, err = xlite("duty", "nobody")
    assert (status, out) == (2, "")
    assert err == "Error: 'nobody' is neither a model file nor a run; the models here are demo, mine\n"
    status, out, err = xlite("duty", "mine", "--reset")
    assert (status, out) == (2, "")
    assert err == "Error: either 'mine' goes on duty, or --reset forgets the choice; got both\n"
    assert not duty_json().exists()


def test_without_any_model_it_says_so(
    xlite: Command, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(available, "bundled", (tmp_path / "package").joinpath)
    assert xlite("duty") == (0, "No model is on duty: this machine has none.\n", "")


@pytest.mark.slow
def test_share_and_serve_leave_the_choice_to_who_reads(
    xlite: Command, two_models: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []
    for module in (models, serve):
        monkeypatch.setattr(module, "hand_over", calls.append)
    assert [xlite(name) for name in ("share", "serve")] == [(0, "", ""), (0, "", "")]
    assert xlite("share", "mine", "--password") == (0, "", "")
    assert calls == [
        [SHARE, "--host", "127.0.0.1", "--port", "7860"],
        [SERVE, "--host", "127.0.0.1", "--port", "8000"],
        [SHARE, "mine", "--host", "127.0.0.1", "--port", "7860", "--password"],
    ]


def test_a_password_in_the_place_of_the_model_is_refused_and_not_repeated(
    xlite: Command, two_models: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "hand_over", lambda words: pytest.fail(str(words)))
    status, out, err = xlite("share", "--public", "--password", "correct horse battery")
    assert (status, out) == (2, "")
    assert err.startswith("Error: a password on the command line can be read in `ps`") and "horse" not in err


def test_both_servers_read_with_the_model_on_duty_and_say_if_it_is_lost(
    xlite: Command, two_models: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    import serve as api
    import share as demo

    shipped, mine = two_models
    xlite("duty", "mine")
    assert [api.on_duty(), demo.on_duty()] == [str(mine), str(mine)]
    assert capsys.readouterr().err == ""
    mine.unlink()
    assert [api.on_duty(), demo.on_duty()] == [str(shipped), str(shipped)]
    assert capsys.readouterr().err.count("Warning: run 'mine' was put on duty") == 2
