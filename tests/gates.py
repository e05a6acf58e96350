"""Gates that say what a test has them say: noise is not a chest film."""

import numpy as np

from xlite.guards.gate import Gate
from xlite.guards.measure import measure, thumbnail
from xlite.guards.verdict import Guards, blank
from xlite.images import LEAST_CONTRAST


class Played(Gate):
    """A gate without a network: it gives these guards, one after the other, and then lets all pass."""

    def __init__(self, *answers: Guards) -> None:
        vars(self).update(session=None, limits=None, digest="played", answers=list(answers))

    def judge(self, image: np.ndarray) -> Guards:
        answers: list[Guards] = vars(self)["answers"]
        return answers.pop(0) if answers else seen(image)


def seen(image: np.ndarray) -> Guards:
    """Passes whatever shows something."""
    measured = measure(thumbnail(image))
    return blank(measured) if measured.contrast < LEAST_CONTRAST else Guards()
