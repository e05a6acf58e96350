"""What a federation is worth: against each client alone, all films in one place, and other federations.

Each seed deals the patients out anew and trains all of them with the same settings and as many epochs.
Differences of mean AUC are means over seeds, on the same test films and resampled patients; those that are
compared share their alpha (`xlite.metrics.significance`).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlite.config import SEED
from xlite.data.folder import NihFolder
from xlite.data.joined import open_data
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.errors import RunError
from xlite.federated.answers import answers
from xlite.federated.dealing import Deal
from xlite.federated.federation import Federation
from xlite.federated.plan import OPTIONS, STUDENT, Plan, make_plan
from xlite.federated.simulate import simulate
from xlite.federated.simulation import clients_of
from xlite.files import write_atomic
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.paired import compared_findings, macro_auc
from xlite.metrics.per_finding import auc_per_class, macro
from xlite.metrics.significance import Found, Look, shared
from xlite.models.available import MODEL_FILE
from xlite.patients import fewer_patients
from xlite.places import federations_dir
from xlite.runs.run import Run
from xlite.split_names import DEFAULT_SPLIT
from xlite.training.loop import train

log = logging.getLogger(__name__)

TOGETHER, POOLED, AT_HOME = "federated", "pooled", "alone, each on its own films"


@dataclass(frozen=True)
class Arm:
    """One way to train: its mean AUC by seed, and what the federation's is above it."""

    name: str
    aucs: list[float]
    less: Found | None = None

    @property
    def row(self) -> dict[str, Any]:
        """A row of study.csv: mean and standard deviation over seeds, the difference, its interval and p."""
        found = self.less.difference if self.less else None
        return {
            "arm": self.name,
            "auc": float(np.mean(self.aucs)),
            "sd": float(np.std(self.aucs, ddof=1)) if len(self.aucs) > 1 else None,
            "federated_less_this": found.value if found else None,
            "low": found.low if found else None,
            "high": found.high if found else None,
            "p": self.less.p if self.less else None,
        }


@dataclass(frozen=True)
class Study:
    """What a study found: its arms, on how many films and findings, and what a round sends."""

    arms: list[Arm]
    films: int
    patients: int
    findings: int
    bytes_a_round: int
    """Of one client, there and back, as the client's mean."""

    @property
    def table(self) -> pd.DataFrame:
        """The arms as rows."""
        return pd.DataFrame([arm.row for arm in self.arms])


@dataclass(frozen=True)
class Also:
    """Another federation of a study: settings, as `simulate` takes them, that it has of its own."""

    typed: str
    values: dict[str, str]

    @classmethod
    def read(cls, typed: str) -> "Also":
        """From `norms=frozen,dp-epsilon=8`; RunError for what is not a setting of plan or student."""
        pairs = [part.partition("=") for part in typed.split(",")]
        values = {name.strip().replace("-", "_"): value.strip() for name, _, value in pairs}
        if wrong := [name for name in values if name not in {*OPTIONS, *STUDENT} - {"seed", "clients"}]:
            raise RunError(
                f"--also {typed!r:.80} has {wrong[0]!r:.40}, which no federation of a study "
                "decides for itself; give settings of the plan or the student, such as --also "
                "norms=frozen,strategy=fedprox"
            )
        return cls(typed, values)


def noise_costs(found: Study, also: Sequence[Also]) -> list[str]:
    """What the noise of each federation that has its own costs in AUC; also: as `run_study` took them."""
    costs = {arm.name: arm.less for arm in found.arms}
    noisy = [(other.typed, costs[_arm_of(other)]) for other in also if "dp_epsilon" in other.values]
    return [
        f"What {typed} costs in AUC, against the first federation: {cost.difference.signed}."
        for typed, cost in noisy
        if cost is not None
    ]


def _arm_of(other: Also) -> str:
    return f"{TOGETHER}, {other.typed}"


def run_study(name: str, values: dict[str, Any], deal: Deal, seeds: int, also: Sequence[Also] = ()) -> Study:
    """Trains every arm with each seed, and compares them on the test part; writes study.csv.

    values: as for `simulate`. also: further federations, compared with the first one. Runs are NAME-SEED,
    NAME-SEED-pooled, NAME-SEED-alone-1 … and NAME-SEED-also-1 …
    """
    plan, folder = make_plan(values), open_data(values["data"])
    for other in also:
        make_plan(values | other.values)  # what is wrong is said before anything trains
    split = load_split(folder, values.get("split", DEFAULT_SPLIT))
    probs: list[dict[str, np.ndarray]] = []
    sent: list[float] = []
    for seed in range(SEED, SEED + seeds):
        run = _simulated(f"{name}-{seed}", {**values, "seed": seed}, deal)
        rounds = Federation(run.folder).rounds()
        sent.append(float((rounds["bytes_sent"] + rounds["bytes_received"]).mean()))
        seeded = values | {"seed": seed}
        probs.append(_answers(run, plan, seeded, folder, split))
        for place, other in enumerate(also, 1):
            another = _simulated(f"{run.name}-also-{place}", seeded | other.values, deal)
            probs[-1][_arm_of(other)] = _federated(another, folder, split)
        labels = folder.labels(split.stems("test"))
        aucs = (f"{name} {macro(auc_per_class(labels, said)):.4f}" for name, said in probs[-1].items())
        log.info(f"Seed {seed}: mean AUC {', '.join(aucs)}")
    found = _compare(folder, split.stems("test"), probs, round(float(np.mean(sent))))
    out = federations_dir() / name
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / "study.csv", found.table.to_csv(index=False, float_format="%.4f").encode())
    return found


def _simulated(name: str, values: dict[str, Any], deal: Deal) -> Run:
    """A simulation to its end; RunError if somebody stopped it."""
    run = simulate(name, values, deal)
    if (state := run.status().state) != "finished":
        raise RunError(f"simulation {name!r} is {state}, so its study ends: delete its runs and begin anew")
    return run


def _answers(
    run: Run, plan: Plan, values: dict[str, Any], folder: NihFolder, split: Split
) -> dict[str, np.ndarray]:
    """Probabilities (N, 14) of the whole folder's test films by arm; trains those that are not there yet."""
    clients = clients_of(run)
    pooled = _trained(f"{run.name}-pooled", values["data"], plan, values)
    alone = [_trained(f"{run.name}-alone-{path.name}", path, plan, values) for path in clients]
    each = [_probs(model, folder, split) for model in alone]
    return {
        TOGETHER: _federated(run, folder, split),
        POOLED: _probs(pooled, folder, split),
        AT_HOME: _at_home(each, clients, split),
        **{f"client {place} alone": one for place, one in enumerate(each, 1)},
    }


def _federated(run: Run, folder: NihFolder, split: Split) -> np.ndarray:
    """Probabilities (N, 14) of a federation: its student's, or of each client's own on the client's films."""
    if Federation(run.folder).plan().norms != "local":
        return _probs(run, folder, split)
    clients = clients_of(run)
    own = [_probs(Run.named(f"{run.name}-{path.name}"), folder, split) for path in clients]
    return _at_home(own, clients, split)


def split_part(client: Path, split: Split) -> list[str]:
    """The test films of a client's folder, by stem."""
    return load_split(open_data(client), split.name).stems("test")


def _trained(name: str, data: Path, plan: Plan, values: dict[str, Any]) -> Run:
    """A run of its own with the plan's settings and epochs."""
    student = {**plan.student, "seed": values["seed"]}
    own = {key: values[key] for key in ("split", "device", "weights") if key in values}
    run = Run.create(plan.model_copy(update={"student": student}).config(data, name=name, **own))
    train(run.config(), run)
    return run


def _probs(run: Run, folder: NihFolder, split: Split) -> np.ndarray:
    return answers(run.path(MODEL_FILE), folder, split, "test").probs


def _at_home(each: Sequence[np.ndarray], clients: Sequence[Path], split: Split) -> np.ndarray:
    """Of each film what the model of its own client says."""
    homes = [set(split_part(path, split)) for path in clients]
    place = [next(place for place, mine in enumerate(homes) if stem in mine) for stem in split.stems("test")]
    return np.stack([each[of][row] for row, of in enumerate(place)])


def _compare(
    folder: NihFolder, stems: Sequence[str], probs: Sequence[dict[str, np.ndarray]], sent: int
) -> Study:
    """The arms beside each other on the same resampled patients; each difference is a mean over seeds."""
    labels, drawn = folder.labels(stems), Resamples(folder.patients(stems))
    over = compared_findings(labels, drawn).findings
    labels = labels[:, over]
    few = fewer_patients(labels, drawn.owner)
    found = {name: [macro_auc(labels, seed[name][:, over], drawn) for seed in probs] for name in probs[0]}
    means = {
        name: (
            float(np.mean([value for value, _ in by_seed])),
            np.mean([draws for _, draws in by_seed], axis=0),
        )
        for name, by_seed in found.items()
    }
    value, draws = means[TOGETHER]
    others = [name for name in means if name != TOGETHER]
    looks = [Look(value - means[name][0], draws - means[name][1], few) for name in others]
    less = dict(zip(others, shared(looks), strict=True))
    arms = [Arm(name, [auc for auc, _ in by_seed], less.get(name)) for name, by_seed in found.items()]
    return Study(arms, len(stems), drawn.patients, int(over.sum()), sent)
