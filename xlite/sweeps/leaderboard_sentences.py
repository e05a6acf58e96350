"""What a leaderboard says in words, the same on pages and terminals: each sentence from its facts.

Imports little.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.sweeps.leaderboard import COMPARED, Configuration, Joined, Leaderboard, Optimism
from xlite.text import counted, number, verb


def board_as_json(board: Leaderboard) -> dict[str, Any]:
    """The facts of a leaderboard as JSON, and what they say: `verdict` and `warnings`."""
    facts = board.model_dump(mode="json", exclude={"old_verdict"})
    return {**facts, "verdict": verdict(board), "warnings": warnings(board)}


def caption(board: Leaderboard) -> str:
    """Whose films these are, which of them choose, what the best validation AUC is the best of, and over
    which findings the means on the test films are.
    """
    said = [f"Split {board.split_id}."]
    if not board.chooses:
        said.append("Nothing is chosen: each row is the model that left this fold out.")
    elif len(board.rows) > 1:
        said.append("The validation films choose the winner; the test films are only shown.")
    if board.chooses and (of := _best_of(board.optimism)):
        said.append(f"The highest validation AUC is the best of {of}, and as such too high.")
    return " ".join([*said, *_means(board)])


def warnings(board: Leaderboard) -> list[str]:
    """What teachers know of the test films, each caveat with the runs if not of all."""
    from xlite.report.caveat_sentences import sentence  # imports NumPy, without which --help is fast

    runs = sum(len(row.runs) for row in board.rows)
    return [
        sentence(known.caveat) + (f" (runs {', '.join(known.runs)})" if 0 < len(known.runs) < runs else "")
        for known in board.teachers
    ]


def verdict(board: Leaderboard) -> str:
    """What came of a study: which configuration is chosen and why; empty before the end."""
    if board.old_verdict or not board.ended:
        return board.old_verdict
    if not board.chooses:
        return joined_sentence(board.joined) if board.joined else ""
    if not board.rows:
        return ""
    return " ".join(filter(None, [_chosen(board), _flattered(board.optimism)]))


def _means(board: Leaderboard) -> Iterator[str]:
    """Over which findings the means on the test films are, which is one set for all rows."""
    fixed = next(filter(None, (row.shown_fixed() for row in board.rows)), None)
    if fixed is not None:
        named = ", ".join(map(spoken, fixed.findings))
        count = f"{len(fixed.findings)} findings with {FEW_POSITIVES} patients or more"
        yield f"“Averaged” is over the {count}: {named}."
    gaps = (row.against_first.get("test") for row in board.rows)
    over = next((gap.findings for gap in gaps if gap and gap.findings), None)
    if over is not None:
        yield f"“First − this” is over {counted(over, 'finding')}."


def _best_of(found: Optimism | None) -> str:
    """`3 configurations and of 8 to 10 epochs of each run`; empty if it is the best of nothing known."""
    if found is None:
        return ""
    few, most = found.epochs or (1, 1)
    epochs = f"{few} to {counted(most, 'epoch')}" if few < most else counted(most, "epoch")
    configurations = counted(found.configurations, "configuration")
    said = [configurations] if found.configurations > 1 else []
    return " and of ".join(said + ([f"{epochs} of each run"] if most > 1 else []))


def joined_sentence(found: Joined) -> str:
    """What came of cross-fitting, and how to learn from it."""
    over = "" if found.findings == len(FINDINGS) else f" of {counted(found.findings, 'finding')}"
    return (
        f"The models answer for {counted(found.films, 'film')} that each of them had left out: mean AUC"
        f"{over} {number(found.auc, digits=4)}. Learn from it with --teacher {found.predictions} "
        f"--teacher-list {found.known}"
    )


def _chosen(board: Leaderboard) -> str:
    """Which is chosen, and what the others are beside it."""
    rows = board.rows
    best = rows[board.winner or 0]
    spread = "" if best.val_sd is None else f" ± {best.val_sd:.4f}"
    said = f"validation AUC {best.val_auc:.4f}{spread} ({counted(best.seeds, 'seed')})"
    if len(rows) == 1:
        return f"The only configuration has {said}."
    if board.winner is None:
        why = _why_not(board.study, [best])
        return f"No winner: the best, {best.name}, {said}, was compared with none, {why}."
    chosen = f"Chosen by the validation films: {best.name}, {said}."
    others = rows[1:COMPARED]
    unknown = [row for row in others if row.tie is None]
    compared = [row for row in others if row.tie is not None]
    if not compared:
        return f"{chosen} None was compared with it, {_why_not(board.study, unknown)}."
    sentences = [chosen, _noise(rows[0], compared, best, all_of_them=len(compared) == len(rows) - 1)]
    if unknown:
        were = verb(len(unknown), "was", "were")
        sentences.append(f"{len(unknown)} {were} not compared, {_why_not(board.study, unknown)}.")
    return " ".join(sentences)


def _flattered(found: Optimism | None) -> str:
    """What the highest validation AUC is the best of, and by how much that lifts it."""
    of = _best_of(found)
    if found is None or not of:
        return ""
    adds = (
        "" if found.of_choosing is None else f": choosing among configurations adds {found.of_choosing:.4f}"
    )
    said = f"The highest validation AUC is the best of {of} on the same films, so it is too high{adds}."
    if found.val_less_test is None:
        return said
    side = "below" if found.val_less_test >= 0 else "above"
    return (
        f"{said} The test AUC of the chosen one is {abs(found.val_less_test):.4f} {side} its validation AUC."
    )


def _noise(
    first: Configuration, others: Sequence[Configuration], best: Configuration, *, all_of_them: bool
) -> str:
    """How many of the others that were compared cannot be told from the first, and what that did."""
    ties = sum(bool(row.tie) for row in others)
    if not ties:
        beaten = "No other one" if all_of_them else f"Of the {len(others)} compared with it none"
        return f"{beaten} is within its noise."
    compared = "" if all_of_them else " compared"
    from_it = "it" if best is first else f"the best ({first.name}, {first.val_auc:.4f})"
    if ties < len(others):
        told = f"{ties} of the {len(others)} others{compared} cannot be told from {from_it}"
    elif ties == 1:
        told = f"the other one{compared} cannot be told from {from_it}"
    else:
        told = f"none of the {len(others)} others{compared} can be told from {from_it}"
    if best is first:
        return f"A tie: {told}{' and is not lighter' if ties == 1 else ', and none that ties is lighter'}."
    return f"A tie: {told}, and of those that tie this is the lightest ({best.model_size_mb or 0:.1f} MB)."


def _why_not(study: str, rows: Sequence[Configuration]) -> str:
    """Why these could not be compared, and what to do about it."""
    absent = {run: where for row in rows for run, where in row.absent.items()}
    if not absent:
        return "as the validation films are too few"
    names = list(absent)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    places = ", ".join(sorted(set(filter(None, absent.values())))) or "another home"
    return (
        f"as predictions of {', '.join(names[:3])}{more} are not here (trained in {places}): "
        f"run `xlite sweep resume {study}` there, or here once these runs are in checkpoints/"
    )
