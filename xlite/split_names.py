"""The names of splits, and in a line what each is; `data/splits.py` makes them. Imports nothing."""

SPLITS = {
    "patient": "70/15/15 by number of findings, no patient in two parts",
    "official": "NIH's test list, val carved out of train_val by patient",
    "chexnet": "the 70/10/20 lists of the public CheXNet weights",
    "unseen": "as patient, but these weights know no test patient",
    "image": "ignores patients, needs --allow-leakage",
}
LEAKY = ("image",)
"""Those whose parts share patients."""

LEAK_FREE = tuple(name for name in SPLITS if name not in LEAKY)
RANDOM_SPLITS = ("patient", "image")
"""Those that need no list: X-Lite's own split, and the design document's of single films."""

DEFAULT_SPLIT = "patient"

ALL_FILMS = "all"
"""The part that is every film of a folder, and the split that has this part alone."""
