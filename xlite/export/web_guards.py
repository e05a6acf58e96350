"""The gate for a static page: what Python knows of it, as data for `app/web/guards.js`. No torch."""

from typing import Any

import numpy as np

from xlite.guards.gate import OUTPUTS, WIDTHS, Gate, reasons
from xlite.guards.measure import PERCENTILES, SIDE, thumbnail
from xlite.guards.verdict import HARDLY, REASONS, Check, Guards, offers
from xlite.images import LEAST_CONTRAST
from xlite.models.onnx_file import TOLERANCES
from xlite.places import bundled
from xlite.report.film_sentences import offer_words, undone_words

_VALUE, _LIMIT = 111, 222


def gate_network() -> bytes:
    """The gate's network as ONNX."""
    return bundled("checkpoints", "gate", "gate.onnx").read_bytes()


def guard_facts(gate: Gate, film: np.ndarray) -> dict[str, Any]:
    """All that the page needs to judge as the gate does; `film` uint8 (H, W) is one that it is tried with."""
    return {
        "limits": gate.limits.model_dump(),
        "hardly": HARDLY,
        "least_contrast": LEAST_CONTRAST,
        "side": SIDE,
        "percentiles": PERCENTILES,
        "outputs": OUTPUTS,
        "scores": _weights(),
        "reasons": {reason: _reason(reason) for reason in REASONS},
        "mends": _mends(),
        "golden": gate.scores(thumbnail(film)),
        "tolerance": TOLERANCES["fp32"],
    }


def _reason(reason: Any) -> dict[str, str]:
    """What a reason leads to, and its sentence with places for what was measured."""
    checks = {side: Check(reason, "{measure}", _VALUE, _LIMIT, side == "below") for side in ("below", "from")}
    said = {
        side: str(check).replace(f"{_VALUE}", "{value}").replace(f"{_LIMIT}", "{limit}")
        for side, check in checks.items()
    }
    return {"verdict": Guards((checks["from"],)).verdict, **said}


def _mends() -> dict[str, dict[str, str]]:
    """By the reasons that can be undone, joined by semicolons: what a click does, and what it did."""
    inverted, *turns = offers(REASONS)
    kinds = [(inverted,), *((turn,) for turn in turns), *((inverted, turn) for turn in turns)]
    return {
        ";".join(reasons): {"does": offer_words(reasons), "done": undone_words(reasons)} for reasons in kinds
    }


def _weights() -> dict[str, list[float]]:
    """Each score as a sum: a constant, then a weight for each of the network's answers, one after another."""
    basis = np.vstack([np.zeros(sum(WIDTHS)), np.eye(sum(WIDTHS))])
    found = reasons(*np.split(basis, np.cumsum(WIDTHS)[:-1], axis=1))
    return {name: [values[0], *(values[1:] - values[0])] for name, values in found.items()}
