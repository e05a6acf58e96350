"""What the API answers: the fields of its JSON, and a reading turned into them."""

import base64
from typing import Literal, Self

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict

from xlite.classify import Classifier
from xlite.findings import FINDINGS
from xlite.guarded import GuardedFilm
from xlite.guards.verdict import FIXED, Reason, Verdict
from xlite.metrics.estimate import Estimate
from xlite.metrics.triage import NotSureZone
from xlite.metrics.worth import Remark, Side, Zone
from xlite.reading import Reading
from xlite.report.worth import threshold_sentence, worth_json

NOTICE = "Research software: its output is not a diagnosis."


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class ModelAnswer(_Answer):
    """A model: its name, the sha256 of its file or of its members' hashes, and what it learned from."""

    name: str
    sha256: str
    backbone: str
    image_size: int
    split_id: str
    label_version: str
    about: str

    @classmethod
    def of(cls, classifier: Classifier) -> Self:
        """What a loaded model says of itself."""
        info = classifier.info
        return cls(
            name=classifier.name,
            sha256=classifier.digest,
            backbone=info.backbone,
            image_size=info.preprocess.size,
            split_id=info.split_id,
            label_version=info.label_version,
            about=classifier.about,
        )


class OverlayAnswer(_Answer):
    """A finding's map over the film: a PNG in base64. `fault` says why a map shows no place."""

    finding: str
    png: str
    fault: str | None = None
    caution: str | None = None


class GuardsAnswer(_Answer):
    """What the picture is: a frontal chest X-ray the right way up, or for which reasons not.

    `refuse`: it was not read at all. `offer`: it looks turned or inverted, and `fix=true` puts that right;
    `fixed` are the reasons that were undone so. `caution`: read with these warnings.
    """

    verdict: Verdict
    reasons: list[Reason]
    fixed: list[Reason]
    sentences: list[str]

    @classmethod
    def of(cls, film: GuardedFilm) -> Self:
        """What the gate said of a film, and what was undone."""
        said, fixed = film.said, list(film.undone if film.guards.verdict != "refuse" else ())
        sentences = [*said.sentences, *([FIXED] if fixed else [])]
        return cls(verdict=said.verdict, reasons=list(said.reasons), fixed=fixed, sentences=sentences)


class WorthAnswer(_Answer):
    """What the verdict on a finding is worth: what the threshold did on the validation films, and more.

    Null: not known. `zone` lies between two certified `cut_offs`; `void`: a guard fired, so that no guarantee
    holds; null of a mean of readings if none did, as none holds of it at all. Ranks are the share of
    validation films, in per cent, that the probability is higher than. `disagreement` is the standard
    deviation of the probabilities of an ensemble's members. `says` is all of it in sentences.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: float
    threshold: float | None
    side: Side | None
    sensitivity: Estimate | None
    specificity: Estimate | None
    positive_films: int | None
    negative_films: int | None
    positive_patients: int | None
    negative_patients: int | None
    zone: Zone | None
    cut_offs: NotSureZone | None
    calibrated: bool
    rank_without: int | None
    rank_with: int | None
    remarks: list[Remark]
    void: bool | None
    disagreement: float | None
    says: list[str]


class FilmAnswer(_Answer):
    """What the guards say of one picture and what a model sees in it, or in `error` why it was not read.

    Probabilities are 0-1. `thresholds` are the model's own, null if a finding has none or the model has no
    thresholds at all; `threshold_sentences` say on which side of them the film is, `worth` what that may be
    taken for.
    """

    name: str
    error: str | None = None
    probabilities: dict[str, float] | None = None
    thresholds: dict[str, float | None] | None = None
    threshold_sentences: dict[str, str] | None = None
    worth: dict[str, WorthAnswer] | None = None
    overlays: list[OverlayAnswer] = []
    legend: str | None = None
    guards: GuardsAnswer | None = None

    @classmethod
    def of(
        cls,
        name: str,
        judged: GuardedFilm,
        reading: Reading | None = None,
        film: np.ndarray | None = None,
        maps: int = 0,
    ) -> Self:
        """What guards say, and unless they refuse the film its reading.

        With its `maps` likeliest findings over the film uint8 (H, W) of the reading's frame, if there is one.
        """
        guards = GuardsAnswer.of(judged)
        if reading is None:
            return cls(name=name, error=" ".join(guards.sentences), guards=guards)
        sentences = {finding: threshold_sentence(reading.worth(finding)) for finding in FINDINGS}
        return cls(
            name=name,
            probabilities={finding: reading.probability(finding) for finding in FINDINGS},
            thresholds=None if reading.thresholds is None else dict(reading.thresholds),
            threshold_sentences={finding: said for finding, said in sentences.items() if said} or None,
            worth={one: WorthAnswer(**facts) for one, facts in worth_json(reading.worths()).items()},
            overlays=[] if film is None else [_overlay(reading, film, one) for one, _ in reading.top(maps)],
            legend=None if film is None else reading.legend(),
            guards=guards,
        )


class Answer(_Answer):
    """The answer to /v1/predict: the films in the order in which they were sent."""

    model: ModelAnswer
    films: list[FilmAnswer]
    notice: str = NOTICE


class ModelsAnswer(_Answer):
    """The answer to /v1/models; the first model is asked unless a request names another."""

    models: list[ModelAnswer]


class HealthAnswer(_Answer):
    """The answer to /health."""

    status: Literal["ok"] = "ok"


class Problem(_Answer):
    """The answer to a request that failed: one sentence."""

    detail: str


def _overlay(reading: Reading, film: np.ndarray, finding: str) -> OverlayAnswer:
    pixels = cv2.cvtColor(reading.overlay(film, finding), cv2.COLOR_RGB2BGR)
    png = cv2.imencode(".png", pixels)[1].tobytes()
    return OverlayAnswer(
        finding=finding,
        png=base64.b64encode(png).decode(),
        fault=reading.fault(finding),
        caution=reading.caution(finding),
    )
