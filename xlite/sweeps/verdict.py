"""Which configuration of a study is chosen and why, in plain words made from the facts of its rows."""

from collections.abc import Sequence

from xlite.sweeps.leaderboard import COMPARED, Configuration, Optimism, best_of
from xlite.text import counted, verb


def verdict(
    study: str, rows: Sequence[Configuration], winner: int | None, optimism: Optimism | None = None
) -> str:
    """What came of a study that has ended; `winner` is the place of the row that is chosen."""
    said = [_chosen(study, rows, winner), *([_flattered(optimism)] if optimism else [])]
    return " ".join(filter(None, said))


def _chosen(study: str, rows: Sequence[Configuration], winner: int | None) -> str:
    """Which is chosen, and what the others are beside it."""
    best = rows[winner or 0]
    spread = "" if best.val_sd is None else f" ± {best.val_sd:.4f}"
    said = f"validation AUC {best.val_auc:.4f}{spread} ({counted(best.seeds, 'seed')})"
    if len(rows) == 1:
        return f"The only configuration has {said}."
    if winner is None:
        return f"No winner: the best, {best.name}, {said}, was compared with none, {_why_not(study, [best])}."
    chosen = f"Chosen by the validation films: {best.name}, {said}."
    others = rows[1:COMPARED]
    unknown = [row for row in others if row.tie is None]
    compared = [row for row in others if row.tie is not None]
    if not compared:
        return f"{chosen} None was compared with it, {_why_not(study, unknown)}."
    sentences = [chosen, _noise(rows[0], compared, best, all_of_them=len(compared) == len(rows) - 1)]
    if unknown:
        were = verb(len(unknown), "was", "were")
        sentences.append(f"{len(unknown)} {were} not compared, {_why_not(study, unknown)}.")
    return " ".join(sentences)


def _flattered(found: Optimism) -> str:
    """What the highest validation AUC is the best of, and by how much that lifts it."""
    of = best_of(found)
    if not of:
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
