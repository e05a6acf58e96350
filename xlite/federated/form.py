"""The form of a simulation as a page shows it: its words, what comes first, and what is left to options.

No torch, no Flower, no streamlit.
"""

from xlite.federated.plan import OPTIONS, STUDENT

FIRST = ("strategy", "norms", "rounds", "local_epochs")
"""Fields of a plan that everybody chooses, beside the clients."""

DEALS = {"evenly": "Evenly", "view": "By view", "prevalence": "By prevalence"}
FLOWER_STRATEGIES = {"fedavg": "FedAvg", "fedprox": "FedProx", "fedadam": "FedAdam"}
"""Without distillation, which needs public films."""

NORMS = {"averaged": "Averaged", "local": "Local (FedBN)", "frozen": "Frozen statistics"}
OF_STRATEGY = {"fedprox": "proximal", "fedadam": "server_lr"}
"""The number that a strategy asks for."""

ABOUT_DEALS = {
    "evenly": "Patients are dealt out so that clients are alike.",
    "view": "Patients are dealt out by view: one client has PA films, another AP.",
    "prevalence": "For each finding clients have shares drawn from a Dirichlet distribution: the smaller its "
    "number, the less alike they are.",
}
STUDENT_FIRST = ("backbone", "weights")
SETTINGS = ("split", "device", *(name for name in STUDENT if name not in STUDENT_FIRST))
"""Settings of a run that stand behind the short form."""

FORM_KEYS = ("form", "clients", "deal", "dirichlet", *FIRST, *OF_STRATEGY.values())
"""What an address says of the form, beside settings of a run."""


def title(name: str) -> str:
    """What the form calls a field of a plan, such as `Local epochs`."""
    return str(OPTIONS[name].title)


def help_sentence(name: str) -> str:
    """A field's one line, as a sentence."""
    return f"{OPTIONS[name].description}."
