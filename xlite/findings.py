"""The 14 findings of NIH ChestX-ray14, in NIH order; every (…, 14) array of X-Lite has this order."""

FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)
NO_FINDING = "No Finding"
_NIH_FILMS = 112_120
_NIH_POSITIVES = (11559, 2776, 13317, 19894, 5782, 6331, 1431, 5302, 4667, 2303, 2516, 1686, 3385, 227)
NIH_PREVALENCE = {
    finding: films / _NIH_FILMS for finding, films in zip(FINDINGS, _NIH_POSITIVES, strict=True)
}
"""Share of all of NIH's films that has the finding, by the labels of 2020."""
FEW_POSITIVES = 10
"""With fewer positives, or fewer negatives, little can be said of a finding."""

_WRITTEN = {"infiltrate": "Infiltration", **{finding.casefold(): finding for finding in FINDINGS}}


def canonical(name: str) -> str:
    """The NIH name of a finding that may be written another way: `Infiltrate` in NIH's box table, `effusion`.

    Raises ValueError if the name is none of the 14.
    """
    finding = _WRITTEN.get(name.strip().casefold().replace(" ", "_"))
    if finding is None:
        raise ValueError(f"{name!r} is not one of the 14 findings; expected one of {', '.join(FINDINGS)}")
    return finding


def spoken(finding: str) -> str:
    """A finding as people write it: `Pleural thickening`."""
    return finding.replace("_", " ").capitalize()
