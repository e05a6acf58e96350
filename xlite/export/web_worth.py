"""What verdicts are worth for a static page: Python's own words, by the probability they hold from."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xlite.findings import FINDINGS
from xlite.metrics.worth import Worth
from xlite.models.info import ModelInfo
from xlite.reading import Reading
from xlite.report.worth import threshold_sentence, worth_sentences, worth_table
from xlite.text import percent

_SHOWN_ALREADY = 2  # finding and probability, the first columns of the table

_APART = float("inf")
"""In place of how far an ensemble's members differ, which a page learns with each film: written as `inf%`."""

Steps = list[tuple[float, str]]
"""Texts in rising order of the probability that each holds from."""


def worth_header(is_ensemble: bool) -> dict[str, Any]:
    """The columns behind finding and probability, and what they mean."""
    table = worth_table([Worth(FINDINGS[0], 0.0, None, disagreement=_APART if is_ensemble else None)])
    return {"header": table.header[_SHOWN_ALREADY:], "note": table.caption}


def worth_facts(info: ModelInfo, finding: str, is_ensemble: bool) -> dict[str, Any]:
    """Sentences and cells of a finding by the probability they hold from.

    `{apart}` stands in them for how far an ensemble's members differ. `void` has those of a film that no
    guarantee holds of, None for a column that stays as it is.
    """
    places = _breaks(info, finding)
    holds, void = (
        {part: _columns(places, [_texts(of, worth) for worth in worths]) for part, of in _PARTS.items()}
        for worths in (
            [_worth(info, finding, place, is_void, is_ensemble) for place in places]
            for is_void in (False, True)
        )
    )
    changed = {
        part: [None if now == before else now for now, before in zip(void[part], holds[part], strict=True)]
        for part in _PARTS
    }
    return {"worth": holds, "void": changed}


def _texts(of: Callable[[Worth], list[str]], worth: Worth) -> list[str]:
    return [text.replace(percent(_APART), "{apart}") for text in of(worth)]


def _cells(worth: Worth) -> list[str]:
    return [str(cell) for cell in worth_table([worth]).rows[0][_SHOWN_ALREADY:]]


def _short(worth: Worth) -> list[str]:
    """Where the probability lies and what limits that, without the rates."""
    bare = replace(worth, record=None, patients=None)
    remarks = _cells(worth)[-1]  # which say of a withheld threshold that there is none
    return ["; ".join(text for text in ("" if worth.withheld else threshold_sentence(bare), remarks) if text)]


_PARTS: dict[str, Callable[[Worth], list[str]]] = {
    "short": _short,
    "says": worth_sentences,
    "cells": _cells,
}


def _worth(info: ModelInfo, finding: str, probability: float, is_void: bool, is_ensemble: bool) -> Worth:
    """As a reading has it that gives a finding this probability."""
    apart = np.full(len(FINDINGS), _APART) if is_ensemble else None
    return Reading.by(info, np.full(len(FINDINGS), probability), apart, is_void).worth(finding)


def _breaks(info: ModelInfo, finding: str) -> list[float]:
    """The probabilities from which anything else is said: a rank rises behind each value of its table."""
    record = (info.validation or {}).get(finding)
    cuts = [(info.thresholds or {}).get(finding)]
    ranks: Sequence[float] = ()
    if record:
        cuts += [record.zone.low, record.zone.high]
        ranks = (*record.ranks_with, *record.ranks_without)
    behind = (float(np.nextafter(value, 2)) for value in ranks)
    return sorted({0.0, *(cut for cut in cuts if cut is not None), *behind})


def _columns(places: list[float], rows: list[list[str]]) -> list[Steps]:
    """The texts by column; one that is as before is left out."""
    columns: list[Steps] = []
    for texts in zip(*rows, strict=True):
        before = (None, *texts[:-1])
        columns.append(
            [(place, text) for place, text, last in zip(places, texts, before, strict=True) if text != last]
        )
    return columns
