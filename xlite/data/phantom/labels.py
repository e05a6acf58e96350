"""Who is on the films and with what: patients, views and label sets in NIH's proportions."""

from dataclasses import dataclass, replace

import numpy as np

from xlite.errors import DataError
from xlite.findings import FINDINGS

# Films per 100,000 with exactly this label set, (PA, AP); the rest have no finding. The 60 sets are the most
# frequent of ChestX-ray14's 800, weighted so that each finding keeps its share of PA and of AP films.
LABEL_SETS = {
    "Infiltration": (5925, 6854),
    "Atelectasis": (2432, 3656),
    "Effusion": (2111, 2932),
    "Nodule": (2454, 1750),
    "Mass": (1868, 1801),
    "Pneumothorax": (1964, 1536),
    "Effusion|Infiltration": (986, 2509),
    "Atelectasis|Infiltration": (967, 2370),
    "Atelectasis|Effusion|Infiltration": (991, 1765),
    "Atelectasis|Effusion": (1150, 1441),
    "Consolidation": (482, 2047),
    "Pleural_Thickening": (1558, 800),
    "Infiltration|Nodule": (1149, 1151),
    "Cardiomegaly": (1172, 934),
    "Emphysema": (974, 1013),
    "Pneumothorax|Emphysema": (854, 709),
    "Cardiomegaly|Effusion": (702, 851),
    "Fibrosis": (1252, 300),
    "Edema": (79, 1306),
    "Mass|Nodule": (828, 534),
    "Infiltration|Consolidation": (217, 1122),
    "Infiltration|Edema": (122, 1169),
    "Atelectasis|Consolidation": (330, 959),
    "Infiltration|Mass": (510, 761),
    "Effusion|Mass": (622, 445),
    "Infiltration|Pneumonia|Edema": (42, 999),
    "Infiltration|Pneumothorax": (330, 698),
    "Effusion|Pneumothorax": (640, 361),
    "Atelectasis|Effusion|Consolidation": (263, 716),
    "Effusion|Consolidation": (233, 730),
    "Effusion|Pleural_Thickening": (535, 336),
    "Infiltration|Pleural_Thickening": (414, 405),
    "Infiltration|Fibrosis": (521, 230),
    "Cardiomegaly|Infiltration": (253, 457),
    "Atelectasis|Pneumothorax": (366, 330),
    "Infiltration|Pneumonia": (344, 325),
    "Cardiomegaly|Effusion|Infiltration": (194, 465),
    "Pneumonia": (297, 357),
    "Mass|Pleural_Thickening": (377, 267),
    "Mass|Pneumothorax": (369, 264),
    "Effusion|Nodule": (362, 266),
    "Effusion|Infiltration|Edema": (94, 522),
    "Effusion|Infiltration|Consolidation": (172, 430),
    "Effusion|Edema": (73, 527),
    "Nodule|Pleural_Thickening": (447, 152),
    "Mass|Consolidation": (232, 356),
    "Atelectasis|Nodule": (316, 249),
    "Atelectasis|Mass": (263, 286),
    "Atelectasis|Infiltration|Consolidation": (101, 437),
    "Infiltration|Emphysema": (178, 306),
    "Effusion|Infiltration|Nodule": (158, 320),
    "Atelectasis|Emphysema": (221, 241),
    "Atelectasis|Pleural_Thickening": (262, 198),
    "Effusion|Infiltration|Mass": (229, 229),
    "Nodule|Consolidation": (228, 224),
    "Atelectasis|Effusion|Pneumothorax": (275, 168),
    "Nodule|Pneumothorax": (264, 162),
    "Atelectasis|Fibrosis": (319, 90),
    "Hernia": (285, 78),
    "Atelectasis|Pneumonia": (254, 107),
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
    """One row of the table: all that is decided before anything is drawn."""

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
    """`images` films of `patients` patients, by patient and follow-up; DataError where that cannot be."""
    if patients < 1 or images < patients:
        raise DataError(
            f"{images} images of {patients} patients cannot be: each patient needs at least one image; "
            "ask for at least one patient and at least as many images as patients"
        )
    rng = np.random.default_rng([seed, 1])
    sets, chances = _label_sets()
    films = []
    for patient, count in enumerate(_films_per_patient(images, patients, rng), start=1):
        sex, age = "FM"[int(rng.random() < 0.55)], float(np.interp(rng.random(), *AGES))
        view, findings = None, ()
        for follow_up in range(count):
            before, view = view, _next_view(view, rng)
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
    """The same films, some healthy ones relabelled where a finding would be missing."""
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
