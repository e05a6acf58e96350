"""One film of one patient, from its labels to its pixels and boxes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xlite.data.phantom import opacities, pleura_heart
from xlite.data.phantom.body import draw_patient, place_film, pose
from xlite.data.phantom.bones import skeleton
from xlite.data.phantom.chest import Chest, build_chest
from xlite.data.phantom.devices import add_marker, hardware
from xlite.data.phantom.exposure import TECHNIQUES, aim, attenuation, develop, draw_exposure, frame
from xlite.data.phantom.labels import Film
from xlite.data.phantom.vessels import draw_vessels
from xlite.findings import FINDINGS
from xlite.pixels import RELEASE_SIDE

Painter = Callable[[Chest, np.random.Generator, np.random.Generator], np.ndarray]
# Air and fluid of the pleura come last, so that nothing is painted beyond the lung's edge.
PAINTERS: dict[str, Painter] = {
    "Emphysema": pleura_heart.emphysema,
    "Cardiomegaly": pleura_heart.cardiomegaly,
    "Edema": opacities.edema,
    "Fibrosis": opacities.fibrosis,
    "Infiltration": opacities.infiltration,
    "Pneumonia": opacities.pneumonia,
    "Consolidation": opacities.consolidation,
    "Atelectasis": opacities.atelectasis,
    "Mass": opacities.mass,
    "Nodule": opacities.nodule,
    "Hernia": pleura_heart.hernia,
    "Pleural_Thickening": pleura_heart.pleural_thickening,
    "Pneumothorax": pleura_heart.pneumothorax,
    "Effusion": pleura_heart.effusion,
}


AIR_CM = 2.0
"""What counts as lung: so much of it in the way of the beam."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A drawn film, uint8 (S, S), and per finding the box x, y, w, h around it in the 1024x1024 frame.

    lungs: bool (S, S), if the beam goes through AIR_CM of lung at least, before findings are painted.
    """

    image: np.ndarray
    boxes: dict[str, tuple[float, float, float, float]]
    lungs: np.ndarray


def draw_film(film: Film, size: int, seed: int, technique: str = "usual") -> Drawing:
    """Draws one film at `size` x `size` px, taken as TECHNIQUES say; a pure function of its arguments."""

    def of_film(detail: int) -> np.random.Generator:
        return np.random.default_rng([seed, film.patient, film.follow_up, detail])

    patient = draw_patient(seed, film.patient, film.sex == "F", film.age)
    body = pose(patient, film.view, of_film(1))
    body = pleura_heart.reshape(body, film.findings, patient.rng(50), of_film(2))
    canvas = place_film(body, size, film.size_cm, of_film(3))
    chest = build_chest(body, canvas)
    lungs = chest.lung > AIR_CM
    chest.marking += draw_vessels(body, canvas, chest.lung)
    chest.bone += skeleton(body, canvas)
    exposure = draw_exposure(film.view, body.wall / 3, of_film(5)).taken_by(TECHNIQUES[technique])
    aims = aim(chest, exposure)
    boxes = {}
    for finding, paint in PAINTERS.items():
        if finding in film.findings:
            number = 100 + FINDINGS.index(finding)
            box = bounding_box(paint(chest, patient.rng(number), of_film(number)))
            if box is not None:
                boxes[finding] = box
    metal = hardware(body, canvas, film.findings, film.view, of_film(4))
    image = develop(attenuation(chest, metal), canvas, exposure, aims, of_film(6))
    image = add_marker(image, film.view, of_film(7))
    return Drawing(frame(image, canvas, film.view, of_film(8)), boxes, lungs)


def bounding_box(change: np.ndarray, share: float = 0.3) -> tuple[float, float, float, float] | None:
    """x, y, w, h in the 1024 frame around all of (S, S) above this share of its maximum; None if it is 0."""
    top = float(change.max())
    if top <= 0:
        return None
    rows, columns = (np.flatnonzero((change > share * top).any(axis=axis)) for axis in (1, 0))
    scale = RELEASE_SIDE / len(change)
    x, y = columns[0] * scale, rows[0] * scale
    return float(x), float(y), float((columns[-1] + 1) * scale - x), float((rows[-1] + 1) * scale - y)
