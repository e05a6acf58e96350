"""What a model says of one film beyond the worth of each verdict, in words for pages and demo. No torch."""

from collections.abc import Iterable

from xlite.findings import FINDINGS, spoken
from xlite.reading import Reading
from xlite.text import percent


def also_above_sentence(reading: Reading) -> str | None:
    """Which findings behind the three likeliest reach their threshold; None if there is none."""
    also = [f"{spoken(finding)} ({percent(p)})" for finding, p in reading.also_above()]
    return f"Beyond these three, above the model's threshold: {', '.join(also)}." if also else None


def thresholds_sentence(reading: Reading) -> str:
    """Which findings have no threshold, or that none has; empty if each has one."""
    if reading.thresholds is None and not reading.averaged:
        return "This model has no thresholds yet: read the order of the findings, not their probabilities."
    return reading.withheld()


def bars_zones(reading: Reading) -> dict[str, tuple[float, float]]:
    """From where to where each finding is not sure, 0-1; none without a certified cut-off that holds."""
    found = {}
    for worth in reading.worths():
        cuts = worth.cut_offs
        if cuts is not None and worth.zone not in ("void", "not_certified"):
            found[worth.finding] = (cuts.low or 0.0, 1.0 if cuts.high is None else cuts.high)
    return found


def bars_uncalibrated(reading: Reading) -> list[str]:
    """The findings whose bars are marked as not calibrated: none if that holds of all 14."""
    bare = [finding for finding in FINDINGS if finding in reading.uncalibrated]
    return bare if len(bare) < len(FINDINGS) else []


def bars_sentences(reading: Reading) -> list[str]:
    """What the marks of the bars of a reading mean; only of marks that are there."""
    said = []
    if reading.thresholds is None and not reading.averaged:
        said.append("This model has no thresholds yet: read the order, not the height, of the bars.")
    elif _some_threshold(reading):
        said.append(
            "Coloured: at or above the model's own threshold (amber tick), chosen on validation films."
        )
    said += [withheld] if (withheld := reading.withheld()) else []
    if bars_zones(reading):
        said.append('Amber band: the "not sure" zone between the cut-offs that validation patients certify.')
    elif reading.void and reading.records:
        said.append('No "not sure" zone is drawn: a guard fired on this film, so that none holds.')
    elif reading.records:
        said.append('No "not sure" zone is drawn: too few validation patients certify one.')
    if bare := bars_uncalibrated(reading):
        said.append(f"Hatched: not calibrated, a score that ranks films ({_spoken(bare)}).")
    elif len(reading.uncalibrated) == len(FINDINGS) and reading.averaged != "members":
        said.append("None of the 14 is calibrated: they are scores that rank films.")
    return said


def bars_alt(reading: Reading) -> str:
    """What the bars show, for those who do not see them."""
    top = ", ".join(f"{spoken(finding)} {percent(p)}" for finding, p in reading.top(3))
    above = [finding for finding, _ in reading.top(len(FINDINGS)) if reading.is_above(finding)]
    none = "none is above its threshold" if _some_threshold(reading) else "none has a threshold"
    over = f"above their threshold: {_spoken(above)}" if above else none
    return f"Bars of the 14 probabilities, likeliest first: {top}; {over}. The table below has all of them."


def _some_threshold(reading: Reading) -> bool:
    """Whether a finding can be called at all."""
    return any(cut is not None for cut in (reading.thresholds or {}).values())


def _spoken(findings: Iterable[str]) -> str:
    return ", ".join(map(spoken, findings))


def map_sentence(reading: Reading, finding: str) -> str | None:
    """Why the map of a finding is not painted, or what it cannot show; None if it is as maps are."""
    if fault := reading.fault(finding):
        return f"Not painted: the map of {spoken(finding).lower()} {fault}."
    return reading.caution(finding)
