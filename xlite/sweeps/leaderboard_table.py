"""The table of a leaderboard, which pages and terminals show. Imports little."""

from xlite.sweeps.leaderboard import COMPARED, Configuration, Leaderboard
from xlite.text import number, spread

_AUCS = ("Validation AUC", "Test AUC", "Averaged, test", "First − this, test")
"""Its columns that hold AUCs."""


def leaderboard_rows(board: Leaderboard, digits: int = 3, *, unbroken: bool = False) -> list[dict[str, str]]:
    """The table of a leaderboard by column, for a page or a terminal.

    digits: of single AUCs; unbroken: AUCs go into two lines before their interval or not at all.
    """
    rows = [_row(board, place, digits) for place in range(len(board.rows))]
    return [row | {name: _unbroken(row[name]) for name in _AUCS} for row in rows] if unbroken else rows


def remark(board: Leaderboard, place: int) -> str:
    """What is to be said of a row: whether it ties with the first, and whether it is chosen.

    A winner is one only if others were compared with it and none of them ties.
    """
    if len(board.rows) == 1:
        return "the only one" if board.ended else ""
    row, ties = board.rows[place], [other.tie for other in board.rows[1:]]
    test = row.against_first.get("test")
    parts = [part for part, tie in (("validation", row.tie), ("test", test and test.tie)) if tie]
    said = [f"tie on {' and '.join(parts)}"] if parts else []
    said += ["best, but ties"] if place == 0 and True in ties else []
    if place == board.winner:
        said.append("wins" if True not in ties and False in ties else "chosen")
    unknown = board.ended and 0 < place < COMPARED and row.tie is None
    return "; ".join(said + (["not compared"] if unknown else []))


def _row(board: Leaderboard, place: int, digits: int) -> dict[str, str]:
    row = board.rows[place]
    gap = row.against_first.get("test")
    return {
        "Configuration": row.name,
        "Remark": remark(board, place),
        "Seeds": str(row.seeds),
        "Validation AUC": spread(row.val_auc, row.val_sd, digits),
        "Test AUC": spread(row.test_auc, row.test_sd, digits),
        "Averaged, test": _averaged_text(row),
        "First − this, test": gap.text(digits) if gap else "–",
        "p": f"{gap.p:.3f}" if gap else "–",
        "MB": number(row.model_size_mb, "–", 1),
        "ms": number(row.inference_time_ms, "–", 1),
    }


def _averaged_text(row: Configuration) -> str:
    """The mean AUC on the test films with its interval, which may be that of the fixed findings alone."""
    fixed = row.shown_fixed()
    if fixed is not None:
        return f"{fixed.estimate} of {len(fixed.findings)}"
    return str(row.averaged.get("test", "–"))


def _unbroken(metric: str) -> str:
    metric = metric.replace(" ", "\u00a0").replace("–", "\u2060–\u2060")
    return metric.replace("\u00a0(", " (")
