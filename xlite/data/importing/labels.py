"""Labels of another data set as the 14 findings: present, absent or unknown."""

from collections import Counter
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from xlite.data.importing import options
from xlite.data.importing.found import UNCERTAIN
from xlite.data.importing.kinds import BLANK, POLICIES
from xlite.data.importing.mapping import ABSENT, Mapping
from xlite.errors import DataError
from xlite.findings import FINDINGS, NO_FINDING, canonical

_AS = {"ignore": np.nan, "ones": 1.0, "zeros": 0.0}


@dataclass(frozen=True)
class Policy:
    """What uncertain and blank labels count as.

    uncertain: for each finding one of POLICIES, else `default`. blank: one of BLANK, or empty for what the
    mapping says.
    """

    default: str = "ignore"
    uncertain: Dict[str, str] = field(default_factory=dict)
    blank: str = ""

    @classmethod
    def of(cls, words: list[str], blank: str = "") -> "Policy":
        """From words such as `zeros` and `Edema=ones`; DataError for others."""
        default, uncertain = "ignore", {}
        for word in words:
            name, equals, policy = word.rpartition("=")
            if policy not in POLICIES:
                raise DataError(
                    options.UNCERTAIN,
                    f" {word!r} is not understood; expected {', '.join(POLICIES)}, or a finding with one of "
                    "them such as Edema=ones",
                )
            if not equals:
                default = policy
                continue
            try:
                uncertain[canonical(name)] = policy
            except ValueError as error:
                raise DataError(options.UNCERTAIN, f" {word!r}: {error}") from error
        if blank not in ("", *BLANK):
            raise DataError(options.BLANK, f" {blank!r} is not understood; expected {' or '.join(BLANK)}")
        return cls(default, uncertain, blank)

    def uncertain_as(self, finding: str) -> float:
        """1, 0 or NaN."""
        return _AS[self.uncertain.get(finding, self.default)]


@dataclass(frozen=True, eq=False)
class Labels:
    """float32 (N, 14) of 1, 0 and NaN (unknown); the findings labelled; what contradicts itself."""

    values: np.ndarray
    labelled: list[str]
    conflicts: Counter[str]

    def positives(self) -> list[str]:
        """`Finding Labels` of each film, as NIH's table writes them."""
        return [
            "|".join(name for name, value in zip(FINDINGS, row, strict=True) if value == 1) or NO_FINDING
            for row in self.values
        ]

    def unknown(self) -> list[str]:
        """`Unknown Labels` of each film."""
        return [
            "|".join(name for name, value in zip(FINDINGS, row, strict=True) if np.isnan(value))
            for row in self.values
        ]


def map_labels(states: pd.DataFrame, mapping: Mapping, policy: Policy) -> Labels:
    """The findings of each film.

    One that several labels stand for is present if any of them is, else unknown if any is, or if the film has
    a label that leaves it open, else absent. On a film of which the set says that nothing is found, a blank
    is 0. If it then has a finding all the same, that stays, and the contradiction is counted.
    """
    values = np.full((len(states), len(FINDINGS)), np.nan, np.float32)
    nothing = _without_finding(states, mapping)
    labelled = []
    for place, finding in enumerate(FINDINGS):
        rules = [rule for rule in mapping if finding in rule.findings and rule.label in states.columns]
        if not rules:
            continue
        labelled.append(finding)
        several = [
            _values(
                states[rule.label].to_numpy(),
                nothing,
                policy.uncertain_as(finding),
                _blank(rule.blank, policy),
            )
            for rule in rules
        ]
        stacked = np.stack([*several, _left_open(states, mapping, finding)])
        values[:, place] = np.where((stacked == 1).any(0), 1, np.where(np.isnan(stacked).any(0), np.nan, 0))
    conflicts: Counter[str] = Counter()
    if both := int((nothing & (values == 1).any(1)).sum()):
        conflicts["marked as without a finding, and with one; the finding stays"] = both
    return Labels(values, labelled, conflicts)


def _blank(said: str, policy: Policy) -> float:
    absent = policy.blank == "zeros" if policy.blank else said == ABSENT
    return 0.0 if absent else np.nan


def _left_open(states: pd.DataFrame, mapping: Mapping, finding: str) -> np.ndarray:
    """float (N,): NaN on films with a label that leaves the finding open, else 0."""
    labels = [rule.label for rule in mapping if finding in rule.left_open and rule.label in states.columns]
    return np.where(states[labels].isin([1, UNCERTAIN]).any(axis=1), np.nan, 0.0)


def _without_finding(states: pd.DataFrame, mapping: Mapping) -> np.ndarray:
    """bool (N,): films of which the set says that nothing is found."""
    names = [rule.label for rule in mapping if rule.finding == NO_FINDING and rule.label in states.columns]
    nothing: np.ndarray = (states[names] == 1).any(axis=1).to_numpy(bool)
    return nothing


def _values(states: np.ndarray, nothing: np.ndarray, uncertain: float, blank: float) -> np.ndarray:
    filled = np.where(np.isnan(states), np.where(nothing, 0.0, blank), states)
    values: np.ndarray = np.where(states == UNCERTAIN, uncertain, filled)
    return values
