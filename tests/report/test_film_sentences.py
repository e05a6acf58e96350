"""What the guards say of a film, in words."""

import numpy as np
import pytest

from xlite.findings import FINDINGS
from xlite.guarded import GuardedReading
from xlite.guards.verdict import Check, Guards, Reason
from xlite.reading import Reading
from xlite.report.document import Alert, Table
from xlite.report.film_sentences import (
    NO_PROBABILITIES,
    VOID,
    films_table,
    guard_alert,
    history_table,
    learned_sentences,
    offer_words,
    too_many_words,
    undone_words,
)

FILM = np.zeros((4, 4), np.uint8)
PROBABILITIES = np.linspace(0.9, 0.1, len(FINDINGS), dtype=np.float32)
READING = Reading(PROBABILITIES, np.zeros((14, 1, 1), np.float32), (4, 4))
UPSIDE_DOWN = "The film looks upside down (probability 0.9, the limit is 0.5)."


def guards(*reasons: Reason) -> Guards:
    return Guards(tuple(Check(reason, "probability", 0.9, 0.5) for reason in reasons))


def test_a_film_that_passes_as_it_came_has_no_alert() -> None:
    assert guard_alert(GuardedReading(FILM, guards(), None, READING)) is None


def test_a_refused_film_is_told_why_and_that_it_was_not_read() -> None:
    why = "This does not look like a chest X-ray (probability of another picture 0.9, the limit is 0.5)."
    refused = GuardedReading(FILM, guards("not_chest"))
    assert guard_alert(refused) == Alert("Refused", [why, NO_PROBABILITIES], grave=True)
    assert guard_alert(GuardedReading(FILM, guards("not_chest"), guards("inverted"))) == guard_alert(refused)


def test_a_film_that_is_read_as_it_came_withdraws_the_guarantee_in_words() -> None:
    offered = GuardedReading(FILM, guards("rotated_180"), None, READING)
    assert guard_alert(offered) == Alert("Read as it came", [UPSIDE_DOWN, VOID])
    lateral = guards("lateral")
    alert = Alert("Read with caution", [*lateral.sentences, VOID])
    assert guard_alert(GuardedReading(FILM, lateral, None, READING)) == alert
    assert '"not sure" zone is withdrawn' in VOID


def test_a_film_that_was_turned_says_so_and_what_is_left() -> None:
    came = f"As it came: t{UPSIDE_DOWN[1:]}"
    whole = GuardedReading(FILM, guards(), guards("rotated_180", "mirrored"), READING)
    assert guard_alert(whole) == Alert("Turned by 180° before it was read", [came])
    left = guards("mirrored")
    turned = GuardedReading(FILM, left, guards("rotated_180", "mirrored"), READING)
    assert guard_alert(turned) == Alert("Turned by 180° before it was read", [came, *left.sentences, VOID])
    still = GuardedReading(FILM, guards("rotated_180"), guards("rotated_180"), READING)
    assert guard_alert(still) == Alert("Turned by 180° before it was read", [UPSIDE_DOWN, VOID])


@pytest.mark.parametrize(
    ("reasons", "offer", "undone"),
    [
        (["rotated_90"], "Turn it by 90° counterclockwise", "Turned by 90° counterclockwise"),
        (["rotated_270"], "Turn it by 90° clockwise", "Turned by 90° clockwise"),
        (["inverted"], "Invert its greys", "Inverted"),
        (["inverted", "rotated_180"], "Invert its greys, turn it by 180°", "Inverted and turned by 180°"),
    ],
)
def test_one_click_says_what_it_does_and_the_answer_what_it_did(
    reasons: list[Reason], offer: str, undone: str
) -> None:
    assert offer_words(reasons) == f"{offer} and read it again"
    assert undone_words(reasons) == f"{undone} before it was read"


def test_several_films_have_a_row_each() -> None:
    likeliest = "Atelectasis 90.0%, Cardiomegaly 83.8%, Effusion 77.7%"
    films: list[tuple[str, GuardedReading | str]] = [
        ("a.png", GuardedReading(FILM, guards(), None, READING)),
        ("b.png", GuardedReading(FILM, guards("inverted", "rotated_90"), None, READING)),
        ("c.png", GuardedReading(FILM, guards("child"), guards("inverted", "child"), READING)),
        ("d.png", GuardedReading(FILM, guards("blank"))),
        ("e.png", "The file is empty"),
    ]
    why = "The picture is blank: it shows nothing (probability 0.9, the limit is 0.5)."
    rows = [
        ["a.png", "pass", likeliest],
        ["b.png", "looks inverted, looks turned by 90° clockwise", likeliest],
        ["c.png", "inverted, caution", likeliest],
        ["d.png", "refused", why],
        ["e.png", "not read", "The file is empty"],
    ]
    assert films_table(films) == Table(["Film", "Guards", "Likeliest findings"], rows, words=(1, 2))


def test_more_films_than_are_read_at_once_are_told() -> None:
    assert too_many_words([], 10) == ""
    assert too_many_words(["k.png", "l.png"], 10) == (
        "The first 10 of 12 are read, not k.png, l.png: upload these by themselves; xlite predict reads "
        "folders."
    )
    many = too_many_words([f"{number}.png" for number in range(1190)], 10)
    assert ", not 0.png, 1.png, 2.png, 3.png, 4.png and 1,185 more: upload" in many


def test_what_a_model_knows_of_a_film_is_said_and_what_is_not_known_is_not() -> None:
    assert learned_sentences((), "1_000", "patient-42-0") == []
    train, source = learned_sentences(("train", "source"), "1_000", "patient-42-0")
    assert train == (
        "It is 1_000, a film of the train part of split patient-42-0: the model learned from it, so this "
        "answer does not show how it reads a film that is new to it."
    )
    assert source == "It is 1_000, and a teacher of the model, or a model that it started from, knows it."
    [val], [patient] = (learned_sentences((fact,), "1_000", "patient-42-0") for fact in ("val", "patient"))
    assert "a film of the val part of split patient-42-0" in val
    assert "knows other films of this patient, from the train or the val part" in patient


def test_the_history_has_a_row_for_each_film_and_model() -> None:
    row = ("a.png", "demo", "pass", "Mass 1.0%")
    header = ["Film", "Model", "Guards", "Likeliest findings"]
    assert history_table([row]) == Table(header, [row], words=(1, 2, 3))
