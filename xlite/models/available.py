"""Which models this machine has, and in which order. No torch."""

from pathlib import Path

from xlite.errors import CheckpointError, RunError
from xlite.models.choice import Choice, read_choice
from xlite.places import bundled, check_run_name, checkpoints_dir
from xlite.text import printable

MODEL_FILE = "model.safetensors"
EXPORT_FILE = "model.onnx"
"""The model of a run's folder as it reads on a processor, if it was exported."""
EXPORT_SUFFIX = ".onnx"
EXPORT_FILES = {"fp32": EXPORT_FILE, "fp16": "model.fp16.onnx", "int8": "model.int8.onnx"}
"""By precision; only the first answers as the model does, and so takes its place unasked."""
MEMBERS_JOINED_BY = ","
CARD_FILE = "MODEL_CARD.md"
PREDICTION_SUFFIXES = (".csv", ".csv.gz")
"""How the name of a predictions file ends; every other part of a teacher is a network."""
XRV_PREFIX = "xrv:"
"""How the name of a network of torchxrayvision begins."""
SHIPPED, TINY = "demo", "tiny"
"""The models that come with X-Lite: the recommended one, and a smaller one."""


def model_folders() -> list[Path]:
    """The shipped model's folder, the user's own, newest model first, then the shipped tiny one's.

    A run on duty comes before all of them. Folders without a model yet are among them. A model of the user's
    own takes the place of a shipped one with the same name.
    """
    home, package = checkpoints_dir().resolve(), bundled("checkpoints").resolve()
    first, last = (
        (home if (home / name / MODEL_FILE).is_file() else package) / name for name in (SHIPPED, TINY)
    )
    own = sorted((path for path in home.glob("*") if path.is_dir()), key=_changed, reverse=True)
    # the home may be the checkout itself
    folders = [folder for folder in dict.fromkeys([first, *own, last]) if folder.is_dir()]
    on_duty = _chosen().run
    return sorted(folders, key=lambda folder: folder.name != on_duty)


def run_files() -> dict[str, Path]:
    """Model files by the names of their runs, in the order of `model_folders`."""
    files: dict[str, Path] = {}
    for folder in model_folders():
        if (folder / MODEL_FILE).is_file():
            files.setdefault(folder.name, folder / MODEL_FILE)
    return files


def model_files() -> dict[str, Path]:
    """What pages let one choose from, by name: a file on duty that is not a run's, then `run_files`.

    The first is the model on duty, which they show unasked.
    """
    files, path = run_files(), Path(_chosen().file)
    if path.is_file():
        name = model_name(path)
        return {f"{name} ({path.name})" if name in files else name: path, **files}
    return files


def model_name(path: Path) -> str:
    """The run's name of a model file, or the file's if it lies in no run's folder.

    Exports that answer otherwise than the model have the name of their precision, too: `demo.int8`.
    """
    folder = path.absolute().parent.name
    names = {file: f"{folder}.{precision}" for precision, file in EXPORT_FILES.items()}
    return printable((names | {MODEL_FILE: folder, EXPORT_FILE: folder}).get(path.name, path.stem))


def _chosen() -> Choice:
    """What is on duty by somebody's choice; if that is damaged nothing, and `duty` says so."""
    try:
        return read_choice()
    except CheckpointError:
        return Choice()


def find_models(spec: str) -> tuple[Path, ...]:
    """The model files that a spec stands for: one as `find_model` finds it, or several joined by commas.

    Raises CheckpointError as `find_model` does, and for a member that is missing or named twice.
    """
    if MEMBERS_JOINED_BY not in spec or _file_at(spec):
        return (find_model(spec),)
    names = [part.strip() for part in spec.split(MEMBERS_JOINED_BY)]
    if not all(names):
        raise CheckpointError(f"{spec!r} names an ensemble and lacks a member: write A,B")
    found = [find_model(name) for name in names]
    real = [path.resolve() for path in found]
    if twice := [name for name, path in zip(names, real, strict=True) if real.count(path) > 1]:
        raise CheckpointError(f"{spec!r} has {twice[0]} twice: name each member of an ensemble once")
    return tuple(found)


def find_model(spec: str) -> Path:
    """The one model file that a path or a run's name stands for.

    A file or a run's folder comes first, then a model by its name. Raises CheckpointError with the runs that
    have a model.
    """
    if not spec:
        raise CheckpointError(f"no model named; {_known_runs()}")
    if path := _file_at(spec):
        return path
    if MEMBERS_JOINED_BY in spec:
        raise CheckpointError(
            f"{spec!r} names several models, and here it has to be one: make one file of them by "
            "`xlite ensemble`"
        )
    try:
        name = check_run_name(spec)
    except RunError as error:
        raise CheckpointError(f"there is no model file {spec}; {_known_runs()}") from error
    files = run_files()
    if name in files:
        return files[name]
    if any(folder.name == name for folder in model_folders()):
        raise CheckpointError(f"run {name!r} has no model yet; it gets one at the end of its first epoch")
    raise CheckpointError(f"{spec!r} is neither a model file nor a run; {_known_runs()}")


def _file_at(spec: str) -> Path | None:
    """The model file at a path, or in the run's folder there."""
    return next((path for path in (Path(spec), Path(spec) / MODEL_FILE) if path.is_file()), None)


def teacher_parts(spec: str) -> list[str]:
    """What a teacher is made of: the parts between commas, without spaces around them or empty ones."""
    return [part.strip() for part in spec.split(",") if part.strip()]


def check_teacher_part(part: str) -> None:
    """Raises CheckpointError or RunError if a part of a teacher is not there.

    Of torchxrayvision's names only that library knows.
    """
    if part.endswith(PREDICTION_SUFFIXES):
        if not Path(part).expanduser().is_file():
            raise RunError(f"the teacher's predictions file {part} is not there")
    elif not part.startswith(XRV_PREFIX):
        find_model(str(Path(part).expanduser()))


def _known_runs() -> str:
    names = ", ".join(sorted(run_files()))
    return f"the models here are {names}" if names else "there is no model here yet"


def _changed(folder: Path) -> float:
    """When the model was written, or if there is none, when the folder changed; s since 1970."""
    model = folder / MODEL_FILE
    return (model if model.is_file() else folder).stat().st_mtime
