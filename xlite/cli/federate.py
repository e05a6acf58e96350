"""`xlite federate`: training together without sharing films."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from xlite.cli.console import log_to, print_table, say
from xlite.cli.train import with_options
from xlite.config import TrainConfig
from xlite.errors import RunError
from xlite.extras import demand
from xlite.federated.flower import hush
from xlite.federated.plan import OPTIONS, STUDENT
from xlite.split_names import DEFAULT_SPLIT

app = typer.Typer(help="Training together without sharing films.", rich_markup_mode=None)


def with_plan_options(*others: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a command the options of a plan, of the student that it trains, and other settings of a run."""
    settings = {name: TrainConfig.model_fields[name] for name in (*others, *STUDENT)}
    return functools.partial(with_options, fields={**OPTIONS, **settings})


By = Annotated[
    str, typer.Option(metavar="evenly|view|prevalence", help="How the folder's patients are dealt out")
]
Labelled = Annotated[
    float,
    typer.Option(min=0, max=1, help="Share of the clients that label a finding; others leave it unknown"),
]
Dirichlet = Annotated[
    float, typer.Option(min=0.001, help="Of dealing by prevalence: the smaller, the less alike")
]


@app.command()
@with_plan_options("weights")
def server(
    name: Annotated[str, typer.Option(help="Name of the federation, and of its model's folder")] = "",
    resume: Annotated[
        str, typer.Option(metavar="NAME", help="Go on with this one after its last round")
    ] = "",
    host: Annotated[str, typer.Option(help="Address to serve at")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve at")] = 9092,
    certificate: Annotated[Path, typer.Option(help="The server's certificate, PEM")] = Path("server.pem"),
    key: Annotated[Path, typer.Option(help="Its private key, PEM")] = Path("server.key"),
    member: Annotated[
        list[Path] | None, typer.Option(help="Public key of a client that may take part; one option for each")
    ] = None,
    public: Annotated[
        Path | None,
        typer.Option(help="With --strategy distil: the folder of public films that clients have too"),
    ] = None,
    *,
    values: dict[str, Any],
) -> None:
    """Serve a federation.

    It sends weights and receives weights, never films. It waits for its clients, averages what they send,
    and leaves rounds.csv and the model in checkpoints/NAME. Killed, it goes on by --resume NAME. With
    --strategy distil it receives what clients say of public films, and trains the run NAME by it.
    """
    if bool(name) == bool(resume) or (resume and values):
        raise RunError("give --name and options for a new federation, or --resume for one that stopped")
    _get_ready()
    from xlite.federated.server import ServerAddress, begin, go_on_serving, serve, serve_distillation

    address = ServerAddress(host, port, certificate, key, member or ())
    if (public is not None) != (values.get("strategy") == "distil"):
        raise RunError("--strategy distil and --public belong together")
    address.check()
    with log_to():
        if public is not None:
            serve_distillation(name, values, public, address)
            return
        record, student = go_on_serving(resume) if resume else begin(name, values)
        serve(record, student, address)


@app.command()
def client(
    data: Annotated[Path, typer.Option(help="Data folder in the NIH layout; it stays here")],
    server: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the server is")],
    name: Annotated[str, typer.Option(help="Name of this client, and of its run")],
    ca: Annotated[Path, typer.Option(help="Certificate that vouches for the server, PEM")] = Path(
        "server.pem"
    ),
    key: Annotated[
        Path | None, typer.Option(help="Private key of this client, if the server knows its members")
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the data folder")] = DEFAULT_SPLIT,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps")] = "auto",
    skip_missing: Annotated[bool, typer.Option("--skip-missing", help="Go on without missing films")] = False,
    patience: Annotated[float, typer.Option(help="Seconds to wait for a server that does not answer")] = 600,
    public: Annotated[Path | None, typer.Option(help="Folder of public films, if the server distils")] = None,
    backbone: Annotated[str, typer.Option(help="A backbone of its own, if the server distils")] = "",
    weights: Annotated[
        str, typer.Option(help="Weights that it begins with, if the server distils")
    ] = "imagenet",
) -> None:
    """Take part in a federation.

    It trains on its own folder and sends weights. It ends with a run of its own, NAME, judged on its films.
    """
    _get_ready()
    from xlite.federated.client import Client
    from xlite.federated.local import Own
    from xlite.federated.node import Node

    with (
        log_to(),
        Client(Own(name, data, split, device, skip_missing, public, backbone, weights)) as taking_part,
    ):
        Node(server, ca, key, patience).run(taking_part.app, lambda: taking_part.ended)


@app.command()
@with_plan_options("data", "split", "device", "weights")
def simulate(
    name: Annotated[str, typer.Option(help="Name of the run; its clients are NAME-1, NAME-2 …")] = "",
    resume: Annotated[
        str, typer.Option(metavar="NAME", help="Go on with this one after its last round")
    ] = "",
    by: By = "evenly",
    dirichlet: Dirichlet = 0.5,
    labelled: Labelled = 1.0,
    *,
    values: dict[str, Any],
) -> None:
    """Simulate a federation on one folder.

    Patients are dealt out to clients, which train in this process by the code that real ones run. It waits
    for its device in the queue of runs.
    """
    chosen = values or (by, dirichlet, labelled) != ("evenly", 0.5, 1.0)
    if bool(name) == bool(resume) or (resume and chosen):
        raise RunError("give --name and options for a new simulation, or --resume for one that stopped")
    if name and "data" not in values:
        raise RunError("a simulation needs a data folder: give --data")
    _get_ready()
    from xlite.federated.dealing import deal_by
    from xlite.federated.federation import ROUNDS_FILE
    from xlite.federated.simulation import Simulation, new_simulation
    from xlite.runs.run import Run
    from xlite.runs.work_folder import LOG_FILE

    run = Run.named(resume) if resume else new_simulation(name, values, deal_by(by, dirichlet, labelled))
    if run.status().state == "finished":
        raise RunError(f"simulation {run.name!r} has finished: start a new one to train on")
    Simulation.of(run)  # refused before the folder says that it runs
    with run.hold(), log_to(file=run.path(LOG_FILE)):
        from xlite.federated.simulate import carry_out  # takes seconds; who starts it waits until it is held

        carry_out(run)
        say(f"Rounds: {run.path(ROUNDS_FILE)}")


@app.command()
@with_plan_options("data", "split", "device", "weights")
def study(
    name: Annotated[str, typer.Option(help="Name of the study; its runs are NAME-SEED and more")],
    seeds: Annotated[int, typer.Option(min=2, help="Seeds; each deals patients out and trains anew")] = 5,
    by: By = "evenly",
    dirichlet: Dirichlet = 0.5,
    labelled: Labelled = 1.0,
    also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SETTING=VALUE,…",
            help="Another federation to compare, with settings of its own; repeatable",
        ),
    ] = None,
    *,
    values: dict[str, Any],
) -> None:
    """Compare a federation with clients alone and with all films.

    All train with the same settings and as many epochs, and are compared on the same test films.
    """
    if "data" not in values:
        raise RunError("a study needs a data folder: give --data")
    _get_ready()
    from xlite.federated.dealing import deal_by
    from xlite.federated.study import Also, noise_costs, run_study

    with log_to():
        others = [Also.read(typed) for typed in also or ()]
        found = run_study(name, values, deal_by(by, dirichlet, labelled), seeds, others)
    table = found.table.round(4).astype(object).where(found.table.notna(), "")
    print_table(list(table.columns), table.to_numpy().tolist())
    say(
        f"Mean AUC over {found.findings} findings of {found.films:,} test films of {found.patients:,} "
        f"patients, mean of {seeds} seeds. A client sends and receives {found.bytes_a_round:,} bytes a round."
    )
    for line in noise_costs(found, others):
        say(line)


def _get_ready() -> None:
    """What is missing is told before anything is opened, and Flower is made quiet."""
    demand("federated")
    demand("train")
    hush()
