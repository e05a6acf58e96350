"""What the address of a page says: the state that a link opens again and that pages share. No Streamlit.

A widget whose value is to outlive its page has one of KEYS as its key and `bind="query-params"`. Streamlit
then writes the value into the address and takes it from there, and removes what equals the default; `keep`
carries it to the other pages. A new key is entered here, with what it means on every page.
"""

from collections.abc import Collection, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from xlite.config import TrainConfig

_SETTINGS = {
    name: f"of the runs that the forms plan: {field.title}"
    for name, field in TrainConfig.model_fields.items()
    if name != "data"
}
_OF_STUDIES = {
    f"{name}_{end}": f"in a study that the form plans, {meaning} of {field.title}"
    for name, field in TrainConfig.model_fields.items()
    for end, meaning in (
        ("low", "the lowest value"),
        ("high", "the highest value"),
        ("log", "whether the scale is logarithmic"),
        ("values", "the values"),
    )
}

KEYS = {
    "data": "the data folder",
    "model": "the model that reads films, or whose results are shown",
    "against": "the model beside it",
    "film": "the film shown",
    "finding": "the finding whose map or curve is shown",
    "method": "how maps are made",
    "run": "the run shown",
    "search": "words that the runs shown have",
    "states": "states of the runs shown",
    "backbones": "backbones of the runs shown",
    "teachers": "teachers of the runs shown",
    "splits": "splits of the runs shown",
    "tags": "tags of the runs shown",
    "group": "by what the runs shown are grouped",
    "columns": "columns of the table of runs",
    "compare": "runs that are laid over each other",
    "smooth": "how much their curves are smoothed, 0-1",
    "labelling": "the labelling that the Label page works through",
    "reader": "who labels there, if nobody signs in",
    "opinion": "whether the model's opinion is shown there after each answer",
    "study": "the study shown",
    "kind": "the kind of study that the form plans",
    "has": "findings that films have",
    "ages": "from which to which age, in years",
    "part": "the part of a split that films are of",
    "views": "views that films are taken from",
    "sexes": "sexes of patients",
    "boxed": "whether only films with boxes are shown",
    "judged": "the films that the models shown were judged on: split, part, labels",
    "beside": "other models whose results are shown with the model's",
    "section": "the section of the results shown",
    "curves": "findings whose curves are shown",
    "bands": "whether each curve has its band",
    "cut": "the threshold that is tried out, in per cent",
    "prevalence": "the prevalence at which predictive values are shown, in per cent",
    "folders": "data folders that films are of, of several that are open as one",
    "clusters": "clusters of films in the embedding by a model's features",
    "region": "a region of that embedding, as corners in thousandths of its sides",
    "features": "the model by whose features films are in that embedding",
    "shade": "what that embedding is coloured by",
    "unknown": "findings whose label is unknown of films",
    "amounts": "how many findings films have",
    "series": "how many films the patients of films have",
    "followups": "follow-up numbers of films",
    "charts": "the group of charts shown",
    "by": "what the chart of findings together is coloured by",
    "order": "how films are ordered",
    "rows": "whether films or their patients are listed",
    "preset": "the preset that the form of a run begins with",
    "planned": "the name of the study that the form plans",
    "seeds": "with how many seeds a study that the form plans trains each configuration",
    "after": "the study that a phase follows",
    "trials": "how many configurations a search picks",
    "folds": "how many folds a cross-fit leaves out in turn",
    "varies": "the settings that vary in a search",
    "fixes": "the settings that all runs of a study share",
    "form": "whether the form of the Train page plans one run or a federation",
    "clients": "how many clients a federation that the form plans has",
    "deal": "how patients are dealt out to them",
    "dirichlet": "how unlike they are if dealt out by prevalence",
    "rounds": "how many rounds that federation has",
    "local_epochs": "how many epochs its clients train in each round",
    "strategy": "how its server makes one student of many",
    "proximal": "how strongly FedProx draws clients to the server's weights",
    "server_lr": "FedAdam's learning rate on the server",
    "norms": "what happens to batch norms there",
    **_SETTINGS,
    **_OF_STUDIES,
}
"""Every name that an address may have, and what it says."""


def keep(session: MutableMapping[Any, Any]) -> None:
    """Holds on to the values of widgets that this page does not draw; called before a page runs.

    Streamlit forgets the value of a widget that is not drawn, and keeps one that the script has set.
    """
    for key in KEYS:
        if key in session:
            session[key] = session[key]


def taken_out(
    asked: str, query: Mapping[str, str], session: Mapping[Any, Any], back: bool
) -> dict[str, str | list[str]]:
    """What a page's address asks for, and its query lacks because the page left has a widget of that key.

    An address that Back or Forward reached is the page's own. One that a link made has the values of the page
    left before the link's own, so the last counts; these are texts, and `keep` carries everything else.
    """
    found = {
        key: values
        for key, values in parse_qs(asked, keep_blank_values=True).items()
        if key in KEYS and key not in query
    }
    if back:
        return {key: values if len(values) > 1 else values[0] for key, values in found.items()}
    return {key: values[-1] for key, values in found.items() if isinstance(session.get(key, ""), str)}


def unknown(query: Mapping[str, str], key: str, choices: Collection[str]) -> str | None:
    """What the address asks for under a key if that is none of the choices, else None.

    Asked before the widget is drawn: Streamlit takes what it does not know out of the address, and shows the
    first choice without a word.
    """
    asked = query.get(key)
    return asked if asked and asked not in choices else None


def absent(what: str, *asked: str) -> str:
    """What is said of one or several films, models or the like that are asked for and are not here."""
    names = " and ".join(map(repr, asked))
    if len(asked) > 1:
        return f"the {what}s {names} are asked for, and they are not here"
    return f"the {what} {names} is asked for, and it is not here"
