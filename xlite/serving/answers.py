"""What the API answers: the fields of its JSON, and a reading turned into them."""

import base64
from typing import Literal, Self

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict

from xlite.classify import Classifier
from xlite.files import digest_of
from xlite.findings import FINDINGS
from xlite.reading import Reading
from xlite.report.worth import threshold_sentence

NOTICE = "Research software: its output is no diagnosis."


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class ModelAnswer(_Answer):
    """A model: its name, the sha256 of its file, and what it learned from."""

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
            sha256=digest_of(classifier.path),
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
    """Whether the picture is a film that the model can read."""

    verdict: Literal["pass", "caution", "offer", "refuse"]
    reasons: list[str]


class FilmAnswer(_Answer):
    """What a model sees in one film, or in `error` why it could not be read.

    Probabilities are 0-1. `thresholds` are the model's own, null if a finding has none or the model has no
    thresholds at all; `threshold_sentences` say on which side of them the film is.
    """

    name: str
    error: str | None = None
    probabilities: dict[str, float] | None = None
    thresholds: dict[str, float | None] | None = None
    threshold_sentences: dict[str, str] | None = None
    overlays: list[OverlayAnswer] = []
    legend: str | None = None
    guards: GuardsAnswer | None = None

    @classmethod
    def of(cls, name: str, reading: Reading, film: np.ndarray | None, maps: int) -> Self:
        """A reading, with its `maps` likeliest findings over the film uint8 (H, W) of the reading's frame."""
        sentences = {finding: threshold_sentence(reading.worth(finding)) for finding in FINDINGS}
        return cls(
            name=name,
            probabilities={finding: reading.probability(finding) for finding in FINDINGS},
            thresholds=None if reading.thresholds is None else dict(reading.thresholds),
            threshold_sentences={finding: said for finding, said in sentences.items() if said} or None,
            overlays=[] if film is None else [_overlay(reading, film, one) for one, _ in reading.top(maps)],
            legend=None if film is None else reading.legend(),
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
