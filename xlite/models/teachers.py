"""Teachers: images in, 14 logits in NIH order out, each with its own input size and normalisation inside."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from xlite.errors import CheckpointError
from xlite.evaluation.calibration import fit_platt
from xlite.evaluation.predictions import read_predictions
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.models.checkpoint import ModelInfo, find_model, load_model

# Probabilities of 0 and 1 have no logit; this keeps what a predictions file rounds away within ±14.
_SMALLEST = 1e-6


class NetworkTeacher(nn.Module):
    """A frozen network that reads x (B, 3, S, S) as normalised for the student → (B, 14) logits."""

    def __init__(self, network: nn.Module, own: Preprocess, students: Preprocess):
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.size = own.size
        scale = torch.tensor(students.std) / torch.tensor(own.std)
        shift = (torch.tensor(students.mean) - torch.tensor(own.mean)) / torch.tensor(own.std)
        self.register_buffer("scale", scale.view(1, 3, 1, 1))
        self.register_buffer("shift", shift.view(1, 3, 1, 1))

    def train(self, mode: bool = True) -> "NetworkTeacher":
        """Stays in eval whatever is asked: a teacher's batch norms and dropout must not move."""
        return super().train(False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 14) logits, without gradient."""
        with torch.no_grad():
            if x.shape[-1] != self.size:
                x = F.interpolate(x, size=(self.size, self.size), mode="bilinear", antialias=True)
            return self.network(x * self.scale + self.shift).float()


class Teacher(nn.Module):
    """One or several teachers averaged: networks, and predictions files that speak of some films only."""

    def __init__(
        self,
        networks: list[NetworkTeacher],
        infos: Sequence[ModelInfo] = (),
        sentence: str = "",
        digest: str = "",
    ):
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.infos = tuple(infos)
        self.sentence = sentence
        self.digest = digest

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        """(B, 14) mean logits of all that speak of each film; NaN in the rows of films that none speaks of.

        `known` (B, 14) are the logits of the predictions files, NaN in the rows of films they lack.
        """
        answers = torch.stack([network(x) for network in self.networks] + [known])
        return answers.nanmean(dim=0)


def _known_logits(paths: list[Path], stems: list[str]) -> np.ndarray:
    """(N, 14) mean logits of the predictions files for the films named, NaN where no file has the film."""
    answers = np.full((len(paths), len(stems), len(FINDINGS)), np.nan, np.float32)
    for answer, path in zip(answers, paths, strict=True):
        names, _, probabilities = read_predictions(path)
        row_of = {name: row for row, name in enumerate(names)}
        here = [i for i, stem in enumerate(stems) if stem in row_of]
        p = np.clip(probabilities[[row_of[stems[i]] for i in here]], _SMALLEST, 1 - _SMALLEST)
        answer[here] = np.log(p / (1 - p))
    count = (~np.isnan(answers)).sum(axis=0)
    return np.where(count > 0, np.nansum(answers, axis=0) / np.maximum(count, 1), np.nan).astype(np.float32)


def _fitted_to(labels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The known logits with a scale and a bias per finding that suit the labels of the training films.

    A file may come from films with other shares of findings: as they are, its logits would then pull against
    the labels of the films it lacks. The order of the films within a finding stays as the teacher has it.
    """
    taught = ~np.isnan(known).any(axis=1)
    fit = fit_platt(known[taught], labels[taught])
    return (known * np.float32(fit["scale"]) + np.float32(fit["bias"])).astype(np.float32)


def open_teacher(
    spec: str, students: Preprocess, stems: list[str], labels: np.ndarray
) -> tuple[Teacher, np.ndarray | None]:
    """The teacher that `spec` names, and what its predictions files know: float32 (N, 14) logits, or None.

    `spec` is a run, a model file or a predictions CSV (plain or .gz), or several joined by commas; `stems`
    are the training films and `labels` (N, 14) theirs. Raises CheckpointError or DataError where a part
    cannot be read or knows no film.
    """
    networks, infos, files, sentences = [], [], [], []
    digest = hashlib.sha256()
    for part in (item.strip() for item in spec.split(",")):
        if part.endswith((".csv", ".csv.gz")):
            files.append(Path(part))
            continue
        path = find_model(part)
        network, info = load_model(path)
        digest.update(path.read_bytes())
        networks.append(NetworkTeacher(network, info.preprocess, students))
        infos.append(info)
        sentences.append(f"{part} ({info.backbone} at {info.preprocess.size} px, split {info.split_id})")
    known = None
    if files:
        known = _known_logits(files, stems)
        digest.update(known.tobytes())
        taught = int((~np.isnan(known[:, 0])).sum())
        if not taught:
            raise CheckpointError(f"{spec!r} holds predictions for none of the {len(stems)} training films")
        sentences.append(
            f"{', '.join(path.name for path in files)} for {taught} of {len(stems)} training films "
            f"({100 * taught / len(stems):.1f} %)"
            ", fitted to the shares of findings there"
            + ("; the others learn from their labels alone" if not networks else "")
        )
        known = _fitted_to(labels, known)
    return Teacher(networks, infos, "Teacher: " + "; ".join(sentences), digest.hexdigest()), known
