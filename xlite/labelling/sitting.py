"""One reader at work on a labelling: what is before them, what they send, and what their form is given."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xlite.errors import XliteError
from xlite.findings import FINDINGS, spoken
from xlite.labelling.due import Task
from xlite.labelling.entry import DrawnBox, Entry, Given
from xlite.labelling.labelling import Labelling
from xlite.labelling.sentences import disputed
from xlite.labelling.state import LogState
from xlite.messages import in_words
from xlite.pixels import RELEASE_SIDE


@dataclass
class Sitting:
    """A reader in one tab. `saved` is the film that was answered and is still shown, with the opinion.

    turn counts what was sent since it was `begun`, which no other sitting shares; error says why the last of
    it was not kept.
    """

    labelling: Labelling
    reader: str
    saved: str = ""
    turn: int = 0
    error: str = ""
    begun: str = field(default_factory=lambda: secrets.token_hex(4))

    def take(self, sent: Mapping[str, Any]) -> None:
        """Does what the form sends: an answer, a change, the next film, or one step back.

        An answer is on the disk when this returns. What cannot be kept is said in `error`.
        """
        self.turn, self.error = self.turn + 1, ""
        film, act = str(sent.get("film")), sent.get("act")
        content = {name: value for name, value in sent.items() if name not in ("act", "film", "settles")}
        try:
            if act == "answer":
                given = Given.checked(content)
                self.labelling.answer(self.reader, film, given, settles=bool(sent.get("settles")))
                self.saved = film
            elif act == "change":
                self.labelling.change(self.reader, film, Given.checked(content))
                self.saved = ""
            elif act == "undo":
                self.labelling.undo(self.reader)
                self.saved = ""
            else:
                self.saved = ""
        except (XliteError, OSError) as error:
            self.error = in_words(error)

    def now(self, state: LogState) -> "Task | Entry | None":
        """What is before the reader: the answer that they saved last, else the next film; None at the end.

        A film that comes next is noted as open. Raises as `Labelling.open`.
        """
        if self.saved and (answer := state.film(self.saved).answered_by(self.reader)):
            return answer
        task = self.labelling.next_task(state, self.reader)
        if task:
            self.labelling.open(self.reader, task.film)
        return task

    def form_data(
        self, now: "Task | Entry", shape: tuple[int, int], opinion: Mapping[str, tuple[str, bool]]
    ) -> dict[str, Any]:
        """What the form is given for a film whose picture is (H, W) px.

        opinion: of each finding what the model says, and whether that is above its threshold; it is left out
        until the answer is saved.
        """
        is_saved = isinstance(now, Entry)
        others = () if isinstance(now, Entry) else now.others
        given = now.given if isinstance(now, Entry) else now.before.given if now.before else None
        answers = dict(given.answers) if given else _agreed(others)
        return {
            "store": f"{self.labelling.name}:{self.reader}",
            "film": now.film,
            "phase": "saved" if is_saved else "settle" if others else "read",
            "turn": f"{self.begun} {self.turn}",
            "error": self.error,
            "findings": [{"name": name, "title": spoken(name)} for name in FINDINGS],
            "answers": answers,
            "boxes": _in_picture(given.boxes if given else (), shape),
            "frame": [shape[1], shape[0]],
            "side": RELEASE_SIDE,
            "disputed": [] if isinstance(now, Entry) else disputed(now),
            "others": [{"reader": one.reader, "answers": one.answers} for one in others],
            "opinion": {
                name: {"text": text, "above": above} for name, (text, above) in opinion.items() if is_saved
            },
        }


def _agreed(others: Sequence[Entry]) -> dict[str, str]:
    """The answers that two readers have in common; none of one reader's own film."""
    if not others:
        return {}
    first, second = others
    return {name: said for name, said in first.answers.items() if said == second.answers[name]}


def boxes_of_others(
    others: Sequence[Entry], shape: tuple[int, int]
) -> list[tuple[str, float, float, float, float]]:
    """Title, x, y, width and height, in px of the picture (H, W), of the boxes that two readers drew."""
    return [
        (f"{spoken(box['finding'])} ({one.reader})", box["x"], box["y"], box["width"], box["height"])
        for one in others
        if one.given
        for box in _in_picture(one.given.boxes, shape)
    ]


def _in_picture(boxes: Sequence[DrawnBox], shape: tuple[int, int]) -> list[dict[str, Any]]:
    """Boxes in px of the picture."""
    across, down = shape[1] / RELEASE_SIDE, shape[0] / RELEASE_SIDE
    return [
        {
            "finding": box.finding,
            "x": box.x * across,
            "y": box.y * down,
            "width": box.w * across,
            "height": box.h * down,
        }
        for box in boxes
    ]
