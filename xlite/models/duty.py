"""The model on duty: the one that pages, demo and server use if none is named. No torch."""

from dataclasses import dataclass
from pathlib import Path

from xlite.errors import CheckpointError
from xlite.models.available import EXPORT_SUFFIX, find_model, model_files, run_files
from xlite.models.choice import Choice, forget_choice, read_choice, write_choice
from xlite.models.info import ModelInfo, read_info


@dataclass(frozen=True)
class Duty:
    """The model on duty: its name on pages, and its file, None if this machine has no model.

    chosen: whether somebody put it there; fault: why it is not the one that they put there, in a sentence.
    """

    name: str
    path: Path | None
    chosen: bool = False
    fault: str = ""

    @property
    def spec(self) -> str:
        """What commands take for it. Raises CheckpointError if there is none."""
        if self.path is None:
            raise CheckpointError(
                "this machine has no model: name a model file, or train one by `xlite train`"
            )
        return str(self.path)


def duty() -> Duty:
    """The model that somebody put on duty, else the shipped one, else the newest run's.

    If the choice is damaged, or what was chosen is gone, the same as if nobody had chosen, and the fault.
    """
    files = model_files()
    name = next(iter(files), "")
    shown = Duty(name, files.get(name))
    try:
        choice = read_choice()
    except CheckpointError as error:
        return Duty(shown.name, shown.path, fault=str(error))
    if choice == Choice():
        return shown
    if shown.path is not None and (choice.run == name or choice.file == str(shown.path)):
        return Duty(shown.name, shown.path, chosen=True)
    lost = f"run {choice.run!r} was put on duty and has no model any more"
    if choice.file:
        lost = f"the model file {Path(choice.file).name} was put on duty and is not there any more"
    instead = f"{name} takes its place" if name else "there is no other"
    return Duty(shown.name, shown.path, fault=f"{lost}: {instead}")


def set_duty(spec: str) -> Duty:
    """Puts a run, by its name, or a model file on duty, and keeps that for this home.

    Raises CheckpointError if there is no such model, or if its file cannot be read; OSError if the choice
    cannot be written.
    """
    path = find_model(spec).absolute()
    info_of(path)
    run = next((name for name, file in run_files().items() if file.resolve() == path.resolve()), "")
    write_choice(Choice(run=run) if run else Choice(file=str(path)))
    return duty()


def reset_duty() -> Duty:
    """Puts the model on duty that is there if nobody chooses. Raises OSError."""
    forget_choice()
    return duty()


def info_of(path: Path) -> ModelInfo:
    """What a model file or an export says of its model. Raises CheckpointError."""
    if path.suffix == EXPORT_SUFFIX:
        from xlite.models.onnx_file import read_onnx  # which takes as long as reading the weights

        return read_onnx(path).info
    return read_info(path)
