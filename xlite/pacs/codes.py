"""What things are called in a report: (value, scheme, meaning).

If neither DICOM nor SNOMED CT has a code that is sure, X-Lite has its own, in a scheme 99XLITE.
"""

from typing import NamedTuple

from xlite.findings import FINDINGS, spoken

SCHEME = "99XLITE"


class Term(NamedTuple):
    """A coded concept: what `highdicom.sr.CodedConcept` takes, in its order."""

    value: str
    scheme_designator: str
    meaning: str


_SNOMED = {
    "Atelectasis": ("46621007", "Atelectasis"),
    "Cardiomegaly": ("8186001", "Cardiomegaly"),
    "Effusion": ("60046008", "Pleural effusion"),
    "Infiltration": ("409609008", "Radiologic infiltrate of lung"),
    "Mass": ("309529002", "Lung mass"),
    "Nodule": ("786838002", "Nodule of lung"),
    "Pneumonia": ("233604007", "Pneumonia"),
    "Pneumothorax": ("36118008", "Pneumothorax"),
    "Consolidation": ("95436008", "Lung consolidation"),
    "Edema": ("19242006", "Pulmonary edema"),
    "Emphysema": ("87433001", "Pulmonary emphysema"),
    "Fibrosis": ("51615001", "Fibrosis of lung"),
}
_OWN = {"Pleural_Thickening": "pleural_thick", "Hernia": "hernia"}  # NIH's Hernia is any; a code has 16 signs
FINDING_TERMS = {
    finding: Term(_SNOMED[finding][0], "SCT", _SNOMED[finding][1])
    if finding in _SNOMED
    else Term(_OWN[finding], SCHEME, spoken(finding))
    for finding in FINDINGS
}
CHEST_XRAY = Term("399208008", "SCT", "Plain chest X-ray")
PROBABILITY = Term("122157", "DCM", "Probability")
COMMENT = Term("121106", "DCM", "Comment")
EVALUATIONS = Term("C0034375", "UMLS", "Qualitative Evaluations")
SOURCE_IMAGE = Term("121322", "DCM", "Source image for image processing operation")
THRESHOLD = Term("threshold", SCHEME, "Threshold of the model")
SIDE = Term("side", SCHEME, "Side of the threshold")
SIDES = {
    "above": Term("above", SCHEME, "At or above the threshold"),
    "below": Term("below", SCHEME, "Below the threshold"),
    None: Term("no_threshold", SCHEME, "The model has no threshold for it"),
}
PICTURE = Term("picture", SCHEME, "What the picture is")
VERDICT = Term("verdict", SCHEME, "Verdict of the guards")
VERDICTS = {
    "pass": Term("pass", SCHEME, "Pass: read"),
    "caution": Term("caution", SCHEME, "Caution: read with a warning"),
    "offer": Term("offer", SCHEME, "Offer: looks turned or inverted"),
    "refuse": Term("refuse", SCHEME, "Refuse: not read"),
}
REASON = Term("reason", SCHEME, "Reason of the guards")
