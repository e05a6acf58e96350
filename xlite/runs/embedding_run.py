"""The embedding of a data folder's films by a model's features, as files: made once, by a process of its own.

run = EmbeddingRun.of(model_file, folder)
run.found()                                # None before it is made
run.start()                                # a process that outlives this one; run.status() says how far it is

Its folder is named by the model file, and by table and film names of the data folder: if these are others, so
is the embedding. Films whose pixels alone have changed keep theirs.
"""

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.layout import absolute_data
from xlite.evaluation.embedding import MOST, Embedding, embed
from xlite.files import Progress, digest_of, write_atomic
from xlite.places import embeddings_dir
from xlite.runs.status import Count, WorkStatus
from xlite.runs.work_folder import WorkFolder

POINTS_FILE = "points.npz"
_WRITE_EVERY = 64
"""Films between two words of how far it is."""


class EmbeddingStatus(WorkStatus):
    """How far an embedding is: films read, and of how many; all are read while it is laid out."""

    done: Count = 0
    films: Count = 0


class _Plan(BaseModel):
    """What an embedding is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    data: str
    most: int


class EmbeddingRun(WorkFolder[EmbeddingStatus]):
    """One embedding; any number of processes may look at it."""

    kind, kinds, settings_file, depth = "embedding", "embeddings", "embedding.json", 2
    status_type = EmbeddingStatus
    parent = staticmethod(embeddings_dir)

    def __init__(self, folder: Path | str, model: Path, data: Path, most: int = MOST):
        super().__init__(folder)
        self.model, self.data, self.most = model, data, most

    @classmethod
    def of(cls, model: Path, folder: NihFolder, most: int = MOST) -> "EmbeddingRun":
        """The embedding of a folder's films by a model file, made or not. Raises OSError."""
        name = f"{digest_of(model)[:16]}-{films_print(folder)}-{most}"
        return cls(embeddings_dir() / name, model, folder.root, most)

    def status(self) -> EmbeddingStatus:
        """What it does now, from progress.json and whether somebody holds the lock."""
        is_held, status = self.is_held(), self.read_progress()
        if is_held and status.state not in ("queued", "running"):
            return status.model_copy(update={"state": "running"})  # who has just begun says so a moment later
        if not is_held and status.state in ("queued", "running"):
            return status.model_copy(update={"state": "killed", "message": "the process died", "words": ()})
        return status

    @property
    def points(self) -> Path:
        """The file of the embedding, which is there once it is made."""
        return self.path(POINTS_FILE)

    def found(self) -> Embedding | None:
        """The embedding, None before it is made. Raises DataError if its file is damaged."""
        return Embedding.read(self.points) if self.points.is_file() else None

    def start(self) -> None:
        """Makes it in a process of its own; raises RunError as `WorkFolder.start` does."""
        self._open()
        super().start()

    def work(
        self, classifier: Classifier, folder: NihFolder, progress: Progress | None = None
    ) -> Embedding | None:
        """Makes it here, if it is not there yet; None if it was stopped.

        Raises RunError if somebody makes it, DataError as `embed`.
        """
        if found := self.found():
            return found
        self._open()
        with self.hold():
            self.update_progress(state="running", done=0, films=0)

            def note(done: int, films: int) -> None:
                if done == films or done % _WRITE_EVERY == 0:
                    self.update_progress(done=done, films=films)
                if progress:
                    progress(done, films)

            made = embed(classifier, folder.paths, self.most, note, self.stop_requested)
            if made:
                made.write(self.points)
            self.update_progress(state="finished" if made else "stopped")
        return made

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        plan = _Plan(model=str(self.model.absolute()), data=str(absolute_data(self.data)), most=self.most)
        write_atomic(self.path(self.settings_file), plan.model_dump_json(indent=2).encode() + b"\n")

    def _resume_words(self) -> list[str]:
        model, data = self.model.absolute(), absolute_data(self.data)
        return ["embed", str(model), "--data", str(data), "--most", str(self.most)]


def films_print(folder: NihFolder) -> str:
    """12 hex digits of a folder's table and of the names of the films that it has images of."""
    names = "\n".join([folder.fingerprint(), *sorted(folder.paths)])
    return hashlib.sha256(names.encode()).hexdigest()[:12]
