"""Teachers: films in, 14 logits in NIH order out, each with its own input size and normalisation inside."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from xlite.data.predictions import read_predictions
from xlite.data.splits import CHEXNET_LISTS
from xlite.engines.onnx_engine import OnnxEngine
from xlite.errors import CheckpointError
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.metrics.calibration import fit_platt, logit
from xlite.models import chexnet, xrv
from xlite.models.available import (
    EXPORT_SUFFIX,
    PREDICTION_SUFFIXES,
    XRV_PREFIX,
    find_model,
    teacher_parts,
)
from xlite.models.checkpoint import load_model, read_tensors
from xlite.models.info import FORMAT, ModelInfo
from xlite.models.onnx_file import read_onnx
from xlite.training.teacher_networks import Answer, ExportTeacher, NetworkTeacher

# Probabilities of 0 and 1 have no logit; this keeps what a predictions file rounds away within ±14.
_SMALLEST = 1e-6


@dataclass(frozen=True)
class TeacherFilms:
    """What other people's network was trained on, and the list of it in an NIH folder if there is one."""

    text: str
    list: str | None = None


class Teacher(nn.Module):
    """All that teaches, averaged: networks, and predictions files that speak of some films; or nothing.

    `feature_channels` are those of the only network's features, 0 if there is none or several, or it is an
    export. `speaks_of`, bool (14,): of which findings a network says something. `infos` are the headers of
    the networks that are X-Lite models, `seen` says what other people's were trained on. `digest` is the
    SHA-256 of all that it is made of.
    """

    speaks_of: Tensor

    def __init__(
        self,
        networks: Sequence[NetworkTeacher | ExportTeacher] = (),
        infos: Sequence[ModelInfo] = (),
        seen: Sequence[TeacherFilms] = (),
        sentence: str = "",
        digest: str = "",
    ):
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.feature_channels = networks[0].feature_channels if len(networks) == 1 else 0
        by_network = [any(name not in network.lacks for network in networks) for name in FINDINGS]
        self.register_buffer("speaks_of", torch.tensor(by_network), persistent=False)
        self.infos = tuple(infos)
        self.seen = tuple(seen)
        self.sentence = sentence
        self.digest = digest

    def forward(self, x: Tensor, file_logits: Tensor) -> Answer:
        """The mean logits of all that speak of a film and a finding, NaN if none does; the features of the
        only network, None if there is none or several.

        `file_logits` (B, 14) are the logits of predictions files, NaN for films they lack.
        """
        answers = [network(x) for network in self.networks]
        logits = torch.stack([answer.logits for answer in answers] + [file_logits]).nanmean(dim=0)
        return Answer(logits, answers[0].features if len(answers) == 1 else None)

    def speaks(self, file_logits: Tensor) -> Tensor:
        """Of which films and findings `forward` will say something, bool (B, 14); no network is asked."""
        return self.speaks_of | ~file_logits.isnan()


def _mean_logits(paths: list[Path], stems: list[str]) -> np.ndarray:
    """Mean logits float32 (N, 14) of the predictions files for the films named, NaN if no file has a film."""
    file_logits = np.full((len(paths), len(stems), len(FINDINGS)), np.nan, np.float32)
    for logits, path in zip(file_logits, paths, strict=True):
        names, _, probabilities = read_predictions(path)
        row_of = {name: row for row, name in enumerate(names)}
        here = [i for i, stem in enumerate(stems) if stem in row_of]
        p = np.clip(probabilities[[row_of[stems[i]] for i in here]], _SMALLEST, 1 - _SMALLEST)
        logits[here] = logit(p)
    count = (~np.isnan(file_logits)).sum(axis=0)
    mean = np.where(count > 0, np.nansum(file_logits, axis=0) / np.maximum(count, 1), np.nan)
    return mean.astype(np.float32)


def _fitted_to(labels: np.ndarray, patients: np.ndarray, file_logits: np.ndarray) -> np.ndarray:
    """The files' logits with a scale and a bias per finding that suit the labels of the training films.

    A file may come from films with other shares of findings: its logits as they are would then pull against
    the labels of the films it lacks. The order of the films within a finding stays the teacher's.
    """
    taught = ~np.isnan(file_logits).any(axis=1)
    platt = fit_platt(file_logits[taught], labels[taught], patients[taught])
    scale, bias = np.asarray(platt.scale, np.float32), np.asarray(platt.bias, np.float32)  # (14,) each
    return (file_logits * scale + bias).astype(np.float32)


@dataclass(frozen=True)
class _Source:
    """A network that teaches: the sentence about it, its header if it is an X-Lite model, what it may have
    seen, and the bytes of its weights.
    """

    teacher: NetworkTeacher | ExportTeacher
    sentence: str
    info: ModelInfo | None
    seen: TeacherFilms | None
    content: bytes


def _open_network(part: str, students: Preprocess) -> _Source:
    """The network that one part of a spec names, if that part is not a predictions file."""
    if part.startswith(XRV_PREFIX):
        name = part.removeprefix(XRV_PREFIX)
        network, weights = xrv.load_xrv(name)
        lacks = f", without {', '.join(network.lacks)}" if network.lacks else ""
        sentence = f"{part} (densenet121 at {xrv.PREPROCESS.size} px{lacks})"
        text = xrv.seen(name)
        teacher = NetworkTeacher(network, xrv.PREPROCESS, students)
        return _Source(teacher, sentence, None, TeacherFilms(text) if text else None, save(weights))
    path = find_model(part)
    if path.suffix == EXPORT_SUFFIX:
        return _open_export(part, path, students)
    content = path.read_bytes()
    if chexnet.is_torch_file(path) or read_tensors(path)[0].get("format") != FORMAT:
        own = chexnet.PREPROCESS
        sentence = (
            f"{part} (public CheXNet weights, densenet121 at {own.size} px; for --teacher-list, their "
            f"training list is {chexnet.LIST})"
        )
        seen = TeacherFilms(chexnet.SEEN, CHEXNET_LISTS[0])
        teacher = NetworkTeacher(chexnet.load_chexnet(path), own, students)
        return _Source(teacher, sentence, None, seen, content)
    student, info = load_model(path)
    sentence = f"{part} ({info.backbone} at {info.preprocess.size} px, split {info.split_id})"
    return _Source(NetworkTeacher(student, info.preprocess, students), sentence, info, None, content)


def _open_export(part: str, path: Path, students: Preprocess) -> _Source:
    """An exported model, or an ensemble as one file; raises CheckpointError as other readers of it do."""
    file = read_onnx(path)
    info = file.info
    engine = OnnxEngine.of(file, path, threads=torch.get_num_threads())
    sentence = (
        f"{part} ({info.backbone} at {info.preprocess.size} px, split {info.split_id}; an export, read by "
        "onnxruntime on the processor)"
    )
    return _Source(ExportTeacher(engine, students), sentence, info, None, file.content)


def _check_answers(source: _Source, students: Preprocess) -> None:
    """CheckpointError if a network answers a film of all greys with NaN, which would pass for silence."""
    side = students.size
    film = np.linspace(0, 255, side * side).reshape(side, side).astype(np.uint8)
    logits = source.teacher(torch.from_numpy(students(film))[None]).logits[0]
    if not logits[[finding not in source.teacher.lacks for finding in FINDINGS]].isfinite().all():
        raise CheckpointError(
            f"the teacher {source.sentence} answers with values that are not finite: its weights are damaged"
        )


def prediction_files(spec: str) -> list[Path]:
    """The predictions files among the parts of a spec."""
    return [Path(part) for part in teacher_parts(spec) if part.endswith(PREDICTION_SUFFIXES)]


def open_teacher(
    spec: str, students: Preprocess, stems: list[str], labels: np.ndarray, patients: np.ndarray
) -> tuple[Teacher, np.ndarray | None]:
    """The teacher that `spec` names, and the logits of its predictions files: float32 (N, 14), NaN for films
    they lack, or None if there are no files.

    `spec` is a run, a model file, an export, a public CheXNet checkpoint, xrv:NAME or a predictions CSV
    (plain or .gz), or several joined by commas; `stems` are the training films, `labels` (N, 14) and
    `patients` (N,) theirs. Raises CheckpointError or DataError if a part cannot be read or knows no film.
    """
    files = prediction_files(spec)
    parts = teacher_parts(spec)
    if not parts:
        raise CheckpointError(f"the teacher {spec!r} names no model and no predictions file")
    sources = [_open_network(part, students) for part in parts if Path(part) not in files]
    for source in sources:
        _check_answers(source, students)
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.content)
    sentences = [source.sentence for source in sources]
    file_logits = None
    if files:
        file_logits = _mean_logits(files, stems)
        digest.update(file_logits.tobytes())
        taught = int((~np.isnan(file_logits[:, 0])).sum())
        if not taught:
            raise CheckpointError(f"{spec!r} holds predictions for none of the {len(stems)} training films")
        sentences.append(
            f"{', '.join(path.name for path in files)} for {taught} of {len(stems)} training films "
            f"({100 * taught / len(stems):.1f} %), fitted to the shares of findings there"
        )
        file_logits = _fitted_to(labels, patients, file_logits)
    share = _taught_share([set(source.teacher.lacks) for source in sources], file_logits)
    if share < 1:
        sentences.append(f"a teacher speaks of {100 * share:.1f} % of the labels, the others count alone")
    teacher = Teacher(
        [source.teacher for source in sources],
        [source.info for source in sources if source.info],
        [source.seen for source in sources if source.seen],
        "Teacher: " + "; ".join(sentences),
        digest.hexdigest(),
    )
    return teacher, file_logits


def _taught_share(lacking: list[set[str]], file_logits: np.ndarray | None) -> float:
    """The share (0-1) of the training films' labels that some teacher speaks of; `lacking` by network."""
    by_network = np.array([any(name not in lacks for lacks in lacking) for name in FINDINGS])
    return float(by_network.mean() if file_logits is None else (by_network | ~np.isnan(file_logits)).mean())
