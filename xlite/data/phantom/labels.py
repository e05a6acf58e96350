"""The table of the phantoms: patients, views and label sets in NIH's proportions."""

from dataclasses import dataclass, replace

import numpy as np

from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.text import counted

# Films per 100,000 with exactly this label set, (PA, AP); the rest have no finding. 60 of ChestX-ray14's 800
# sets, weighted so that the share of each finding and of 1, 2, 3 and more findings is NIH's in either view.
LABEL_SETS = {
    "Infiltration": (5722, 7545),
    "Atelectasis": (2723, 4068),
    "Nodule": (3305, 2239),
    "Effusion": (1942, 3038),
    "Mass": (2477, 2311),
    "Pneumothorax": (2239, 1649),
    "Pleural_Thickening": (2433, 1152),
    "Consolidation": (615, 2453),
    "Atelectasis|Infiltration": (694, 1926),
    "Emphysema": (1209, 1388),
    "Effusion|Infiltration": (581, 1898),
    "Atelectasis|Effusion|Infiltration": (978, 1441),
    "Cardiomegaly": (1305, 1045),
    "Infiltration|Nodule": (992, 1075),
    "Fibrosis": (1639, 388),
    "Atelectasis|Effusion": (786, 1102),
    "Edema": (84, 1525),
    "Mass|Nodule": (981, 583),
    "Pneumothorax|Emphysema": (803, 693),
    "Atelectasis|Consolidation": (313, 849),
    "Infiltration|Consolidation": (178, 982),
    "Infiltration|Mass": (433, 713),
    "Cardiomegaly|Effusion": (477, 655),
    "Infiltration|Edema": (83, 997),
    "Infiltration|Pneumonia|Edema": (70, 922),
    "Atelectasis|Effusion|Consolidation": (344, 637),
    "Effusion|Mass": (504, 393),
    "Pneumonia": (473, 398),
    "Effusion|Pleural_Thickening": (510, 333),
    "Infiltration|Pleural_Thickening": (415, 426),
    "Infiltration|Pneumothorax": (241, 548),
    "Effusion|Consolidation": (182, 602),
    "Effusion|Pneumothorax": (445, 267),
    "Infiltration|Fibrosis": (438, 218),
    "Infiltration|Pneumonia": (352, 265),
    "Cardiomegaly|Effusion|Infiltration": (191, 382),
    "Effusion|Infiltration|Consolidation": (194, 379),
    "Atelectasis|Pneumothorax": (310, 262),
    "Cardiomegaly|Infiltration": (181, 374),
    "Atelectasis|Infiltration|Consolidation": (140, 413),
    "Atelectasis|Nodule": (316, 235),
    "Atelectasis|Effusion|Infiltration|Consolidation": (138, 406),
    "Effusion|Infiltration|Edema": (88, 447),
    "Effusion|Nodule": (297, 234),
    "Effusion|Infiltration|Nodule": (188, 301),
    "Effusion|Infiltration|Mass": (269, 216),
    "Effusion|Edema": (48, 423),
    "Atelectasis|Effusion|Pneumothorax": (321, 135),
    "Atelectasis|Effusion|Infiltration|Pleural_Thickening": (216, 229),
    "Atelectasis|Effusion|Mass|Consolidation": (141, 274),
    "Atelectasis|Effusion|Mass": (259, 147),
    "Atelectasis|Cardiomegaly|Effusion|Infiltration": (153, 233),
    "Atelectasis|Infiltration|Pneumothorax|Emphysema": (200, 171),
    "Atelectasis|Infiltration|Pneumothorax": (215, 155),
    "Effusion|Infiltration|Pneumothorax": (142, 203),
    "Hernia": (274, 65),
    "Atelectasis|Effusion|Infiltration|Mass": (110, 166),
    "Atelectasis|Effusion|Infiltration|Pneumothorax": (125, 126),
    "Effusion|Infiltration|Mass|Nodule": (104, 118),
    "Effusion|Infiltration|Pneumonia|Edema": (28, 187),
}
VIEWS = ("PA", "AP")
AP_SHARE, SAME_VIEW, SAME_LABELS = 0.40, 0.49, 0.25
AGES = ((0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1), (2, 8, 18, 23, 34, 49, 59, 67, 72, 79, 93))
# Width and height in px, mm per px, share of the films: the common detectors of ChestX-ray14.
DETECTORS = {
    "PA": (
        (2992, 2991, 0.143, 0.52),
        (2500, 2048, 0.168, 0.16),
        (2048, 2500, 0.168, 0.22),
        (2021, 2021, 0.194311, 0.1),
    ),
    "AP": ((2500, 2048, 0.168, 0.63), (3056, 2544, 0.139, 0.32), (2048, 2500, 0.168, 0.05)),
}
ALL_FINDINGS_FROM = 60
TEST_SHARE = 0.23


@dataclass(frozen=True)
class Film:
    """One row of the table: everything about a film that is decided before it is drawn."""

    patient: int
    follow_up: int
    age: int
    sex: str
    view: str
    findings: tuple[str, ...]
    pixels: tuple[int, int]
    spacing: float  # mm per px

    @property
    def stem(self) -> str:
        """File name without suffix, as NIH writes it."""
        return f"{self.patient:08d}_{self.follow_up:03d}"

    @property
    def size_cm(self) -> tuple[float, float]:
        """Width and height of the detector, cm."""
        return self.pixels[0] * self.spacing / 10, self.pixels[1] * self.spacing / 10


def draw_labels(images: int, patients: int, seed: int) -> list[Film]:
    """`images` films of `patients` patients, by patient and follow-up; DataError if there are too few."""
    if patients < 1 or images < patients:
        raise DataError(
            f"{counted(images, 'image')} of {counted(patients, 'patient')} cannot be: each patient needs at "
            "least one image; ask for at least one patient and at least as many images as patients"
        )
    rng = np.random.default_rng([seed, 1])
    sets, chances = _label_sets()
    films: list[Film] = []
    for patient, count in enumerate(_films_per_patient(images, patients, rng), start=1):
        sex, age = "FM"[int(rng.random() < 0.55)], float(np.interp(rng.random(), *AGES))
        view: str | None = None
        findings: tuple[str, ...] = ()
        for follow_up in range(count):
            before = view
            view = _next_view(before, rng)
            if view != before or rng.random() >= SAME_LABELS:
                findings = sets[rng.choice(len(sets), p=chances[view])]
            shares = [detector[3] for detector in DETECTORS[view]]
            wide, high, spacing, _ = DETECTORS[view][rng.choice(len(shares), p=shares)]
            years = int(min(age + 0.35 * follow_up * rng.uniform(0.6, 1), 94))
            years = max(years, films[-1].age if follow_up else 0)
            films.append(Film(patient, follow_up, years, sex, view, findings, (wide, high), spacing))
    return _with_every_finding(films, rng) if images >= ALL_FINDINGS_FROM else films


def _label_sets() -> tuple[list[tuple[str, ...]], dict[str, np.ndarray]]:
    sets = [tuple(name.split("|")) for name in LABEL_SETS] + [()]
    counts = np.array([*LABEL_SETS.values(), (0, 0)], float) / 100_000
    counts[-1] = 1 - counts.sum(axis=0)
    return sets, {view: counts[:, column] for column, view in enumerate(VIEWS)}


def _films_per_patient(images: int, patients: int, rng: np.random.Generator) -> np.ndarray:
    """Films of each patient (P,): at least one, many with one, a few with very many."""
    pull = rng.lognormal(0, 1.25, patients) * (rng.random(patients) > 0.5)
    pull[rng.integers(patients)] += 0.5
    return 1 + rng.multinomial(images - patients, pull / pull.sum())


def _next_view(view: str | None, rng: np.random.Generator) -> str:
    keep = SAME_VIEW if view else 0.0
    share = AP_SHARE * (1 - keep) + keep * (view == "AP")
    return "AP" if rng.random() < share else "PA"


def _with_every_finding(films: list[Film], rng: np.random.Generator) -> list[Film]:
    """The same films, some healthy ones relabelled so that no finding is missing."""
    films = list(films)
    wanted = 2 if len(films) >= 2 * ALL_FINDINGS_FROM else 1
    for finding in FINDINGS:
        usual = VIEWS[int(np.argmax(LABEL_SETS.get(finding, (1, 0))))]
        for _ in range(wanted - sum(finding in film.findings for film in films)):
            healthy = [i for i, film in enumerate(films) if not film.findings]
            ready = [i for i in healthy if films[i].view == usual] or healthy
            if ready:
                chosen = ready[rng.integers(len(ready))]
                films[chosen] = replace(films[chosen], findings=(finding,))
    return films


def official_lists(films: list[Film], seed: int) -> tuple[list[Film], list[Film]]:
    """train_val and test: about 77 and 23 % of the films as NIH's, no patient in both."""
    rng = np.random.default_rng([seed, 2])
    patients = np.array([film.patient for film in films])
    names, counts = np.unique(patients, return_counts=True)
    order = rng.permutation(len(names))
    reached = np.cumsum(counts[order])
    cut = int(np.argmin(np.abs(reached - TEST_SHARE * len(films)))) + 1
    test = set(names[order[: min(cut, len(names) - 1)]].tolist())
    return [film for film in films if film.patient not in test], [
        film for film in films if film.patient in test
    ]
