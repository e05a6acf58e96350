"""The model on duty: chosen, kept for a home, and what takes over if the choice is lost."""

import threading
from pathlib import Path

import pytest
from demo_home import save_demo_model

from xlite.errors import CheckpointError
from xlite.models import available
from xlite.models.available import find_model, model_files, model_folders
from xlite.models.choice import read_choice
from xlite.models.duty import Duty, duty, reset_duty, set_duty
from xlite.places import duty_json


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path) -> Path:
    """The file of the one model that an installation brings."""
    monkeypatch.setattr(available, "bundled", (tmp_path / "package").joinpath)
    return save_demo_model(tmp_path / "package", "demo")


def test_the_shipped_model_is_on_duty_until_another_is_chosen(shipped: Path, own_home: Path) -> None:
    mine = save_demo_model(own_home, "mine", seed=1)
    assert duty() == Duty("demo", shipped)
    assert set_duty("mine") == duty() == Duty("mine", mine, chosen=True)
    assert duty_json() == own_home / "experiments" / "duty.json"
    assert duty_json().read_text() == '{"run":"mine"}'
    assert list(model_files()) == ["mine", "demo"]
    assert [folder.name for folder in model_folders()] == ["mine", "demo"]
    assert reset_duty() == duty() == Duty("demo", shipped)
    assert not duty_json().exists()
    assert reset_duty() == Duty("demo", shipped)
    assert set_duty("demo") == Duty("demo", shipped, chosen=True)


def test_a_run_named_by_its_file_is_kept_as_the_run(shipped: Path, own_home: Path) -> None:
    mine = save_demo_model(own_home, "mine", seed=1)
    set_duty(str(mine))
    assert duty_json().read_text() == '{"run":"mine"}'
    set_duty(str(mine.parent))
    assert duty() == Duty("mine", mine, chosen=True)


def test_a_file_elsewhere_is_offered_first_and_is_no_name_for_commands(
    shipped: Path, own_home: Path, tmp_path: Path
) -> None:
    file = save_demo_model(tmp_path / "elsewhere", "a").rename(tmp_path / "student.safetensors")
    assert set_duty(str(file)) == Duty("student", file, chosen=True)
    assert model_files() == {"student": file, "demo": shipped}
    assert [folder.name for folder in model_folders()] == ["demo"]
    assert duty().spec == str(file)
    with pytest.raises(CheckpointError, match="'student' is neither a model file nor a run"):
        find_model("student")


def test_a_file_with_the_name_of_a_run_hides_it_not(shipped: Path, own_home: Path, tmp_path: Path) -> None:
    file = save_demo_model(tmp_path / "elsewhere", "a").rename(tmp_path / "demo.safetensors")
    set_duty(str(file))
    assert model_files() == {"demo (demo.safetensors)": file, "demo": shipped}


def test_an_export_can_be_on_duty(
    shipped: Path, exported: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, export = exported
    assert set_duty(str(export)) == Duty("export", export, chosen=True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "Invalid JSON: EOF while parsing a value"),
        ('{"run":"mi', "Invalid JSON: EOF while parsing a string"),
        ("[]", "Input should be an object"),
        ('{"run": 3}', "run is 3: input should be a valid string"),
        ('{"run": "../../mine"}', "'../../mine' cannot be a run's name"),
        ('{"run": "a", "file": "b"}', "it names a run and a file"),
        ('{"model": "mine"}', "model is 'mine': extra inputs are not permitted"),
        ("\x00" * 20, "Invalid JSON"),
    ],
)
def test_a_damaged_choice_is_a_sentence_and_the_shipped_model_takes_over(
    shipped: Path, own_home: Path, content: str, why: str
) -> None:
    save_demo_model(own_home, "mine", seed=1)
    set_duty("mine")
    duty_json().write_text(content)
    now = duty()
    assert (now.name, now.path, now.chosen) == ("demo", shipped, False)
    assert now.fault.startswith("which model was put on duty cannot be read from experiments/duty.json (")
    assert why in now.fault and now.fault.endswith(
        "choose again, or go back to the shipped model by `xlite duty --reset`"
    )
    assert list(model_files()) == ["demo", "mine"]
    assert set_duty("mine").chosen  # and that mends it


def test_a_choice_that_is_a_folder_is_a_sentence_too(shipped: Path) -> None:
    duty_json().mkdir(parents=True)
    assert "cannot be read from experiments/duty.json" in duty().fault


def test_what_was_chosen_and_is_gone_is_named(shipped: Path, own_home: Path, tmp_path: Path) -> None:
    mine = save_demo_model(own_home, "mine", seed=1)
    set_duty("mine")
    mine.unlink()
    lost = "run 'mine' was put on duty and has no model any more: demo takes its place"
    assert duty() == Duty("demo", shipped, fault=lost)
    file = save_demo_model(tmp_path / "elsewhere", "a").rename(tmp_path / "student.safetensors")
    set_duty(str(file))
    file.unlink()
    lost = "the model file student.safetensors was put on duty and is not there any more"
    assert duty() == Duty("demo", shipped, fault=f"{lost}: demo takes its place")
    shipped.unlink()
    assert duty() == Duty("", None, fault=f"{lost}: there is no other")
    with pytest.raises(CheckpointError, match="this machine has no model"):
        _ = duty().spec


def test_what_is_no_model_never_goes_on_duty(shipped: Path, own_home: Path, tmp_path: Path) -> None:
    save_demo_model(own_home, "mine", seed=1)
    set_duty("mine")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no tensors")
    (own_home / "checkpoints" / "young").mkdir()
    for spec, said in (
        (str(broken), "is not a model file"),
        ("young", "has no model yet"),
        ("nobody", "'nobody' is neither a model file nor a run"),
        ("mine,demo", "names several models"),
        ("", "no model named"),
    ):
        with pytest.raises(CheckpointError, match=said):
            set_duty(spec)
    assert duty().name == "mine"


@pytest.mark.slow
def test_of_writers_at_once_the_last_one_stays_and_nobody_reads_half_a_file(
    shipped: Path, own_home: Path
) -> None:
    names = ["a", "b" * 60]
    for name in names:
        save_demo_model(own_home, name)
    set_duty("a")
    ended, read = threading.Event(), set[str]()

    def choose(name: str) -> None:
        for _ in range(50):
            set_duty(name)

    def look() -> None:
        while not ended.is_set():
            read.add(read_choice().run)  # raises for a damaged one

    reader = threading.Thread(target=look)
    reader.start()
    writers = [threading.Thread(target=choose, args=(name,)) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    ended.set()
    reader.join()
    assert read <= set(names) and duty().name in names
    assert [path.name for path in duty_json().parent.iterdir()] == ["duty.json"]
