"""`xlite select` and `xlite select-study`: which films to label next, and what choosing them is worth."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlite.active import STRATEGIES, Strategy, Training
from xlite.cli.console import MODEL, DataFolder, Device, Json, Out, print_json, print_table, progress_bar, say
from xlite.errors import RunError
from xlite.split_names import DEFAULT_SPLIT
from xlite.text import are, counted

if TYPE_CHECKING:
    from xlite.active.selection import Selection

ModelOption = Annotated[str, typer.Option("--model", metavar="MODEL", help=MODEL)]
WholePatients = Annotated[
    bool,
    typer.Option("--patients/--films", help="Whole patients, all of their films or none, or single films"),
]


def select(
    data: DataFolder,
    model: ModelOption,
    budget: Annotated[int, typer.Option(min=1, help="Films to label at most")],
    strategy: Annotated[
        Strategy,
        typer.Option(
            help="By what films are ranked: entropy, disagreement of an ensemble, distance from what is "
            "labelled, expected rare findings, chance",
        ),
    ] = "random",
    whole_patients: WholePatients = False,
    labelled_too: Annotated[bool, typer.Option("--all", help="Rank films with known labels too")] = False,
    split: Annotated[str, typer.Option(help="Only films of a part of this split")] = "",
    part: Annotated[str, typer.Option(metavar="train|val|test", help="Which part")] = "train",
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="The worklist, for the Label page")] = Path(
        "worklist.csv"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Of the random strategy")] = 0,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Choose which films to label next.

    Ranks the films whose labels are all unknown, and writes a worklist: film, patient, rank, score, and what
    the model knows of the film. It holds no probabilities, which would anchor whoever labels.
    """
    from xlite.active.selection import SelectOptions, select_films

    options = SelectOptions(strategy, budget, whole_patients, labelled_too, split, part, seed, device)
    with progress_bar("reading films") as progress:
        found = select_films(model, data, options, progress)
    found.write(out)
    if as_json:
        print_json({**found.model_dump(mode="json"), "worklist": str(out)})
        return
    for said in _sentences(found):
        say(said)
    say(f"Worklist: {out}")


def _sentences(found: "Selection") -> list[str]:
    """What was chosen, and what the model knows of it."""
    films = counted(len(found.films), "film")
    said = [
        f"{films} of {counted(found.patients, 'patient')} to label, by {found.strategy}, of "
        f"{found.candidates:,} that could be chosen; {counted(found.labelled, 'film')} of the folder "
        f"{are(found.labelled)} labelled"
    ]
    if found.unreadable:
        said.append(f"Left out, as they cannot be read: {counted(found.unreadable, 'film')}")
    if known := found.known:
        names = ", ".join(film.image for film in known[:3]) + (", …" if len(known) > 3 else "")
        said.append(
            f"{found.model} knows {len(known):,} of them or their patients: {names}. They are fit for "
            "training, and not for judging it"
        )
    return said


def select_study(
    data: DataFolder,
    model: ModelOption,
    out: Out,
    training: Annotated[
        Training,
        typer.Option(
            "--train",
            help="head: a last layer on the model's features; run: whole runs with the settings of the run "
            "MODEL, without its teacher",
        ),
    ] = "head",
    split: Annotated[str, typer.Option(help="Split: train is the pool, test judges")] = DEFAULT_SPLIT,
    start: Annotated[int, typer.Option(min=1, help="Films labelled before the first round")] = 50,
    add: Annotated[int, typer.Option(min=1, help="Films labelled in each round")] = 50,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds")] = 6,
    seeds: Annotated[int, typer.Option(min=2, help="Repetitions, each with other films")] = 5,
    strategy: Annotated[
        list[str] | None, typer.Option(metavar="|".join(STRATEGIES), help="Beside random; all without it")
    ] = None,
    own_start: Annotated[
        bool,
        typer.Option(
            "--own-start/--random-start",
            help="The first films too by each strategy, with the model's own answers, or at random",
        ),
    ] = False,
    whole_patients: WholePatients = False,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Measure what choosing films is worth.

    Hides labels that are known, asks for them round by round by each strategy, trains anew from the same
    start, and judges on the same films. Writes SELECT_STUDY.md and select_study.json.
    """
    from xlite.active.simulate import simulate
    from xlite.active.study import StudyOptions
    from xlite.active.study_sentences import REPORT_FILE, needed_table, rounds_table, sentences, write_study

    if unknown := {*(strategy or ())} - {*STRATEGIES}:
        raise RunError(f"--strategy is {min(unknown)!r}, expected one of {', '.join(STRATEGIES)}")
    chosen = tuple(one for one in STRATEGIES if not strategy or one in strategy)
    options = StudyOptions(start, add, rounds, seeds, chosen, own_start, whole_patients)
    with progress_bar("reading films") as reading, progress_bar("trainings", "training") as progress:
        found = simulate(model, data, split, training, out, options, device, reading, progress)
    write_study(out, found)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    for said in sentences(found):
        say(f"- {said}")
    for table in (needed_table(found), rounds_table(found)):
        say("")
        print_table(table.header, table.texts)
    say(f"Report: {out / REPORT_FILE}")
