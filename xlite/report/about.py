"""What the About page says: the data, limits, how to cite, and versions. No torch."""

import platform
from importlib.metadata import PackageNotFoundError, version

from xlite import __version__
from xlite.public import is_public, without_paths
from xlite.report.document import Table

PURPOSE = """
X-Lite trains small networks that name 14 findings on frontal chest films, distils them from large ones,
and shows where in the film a finding comes from. It runs on an ordinary computer, without a GPU.

**Not for clinical use.** X-Lite is research software. It is not a medical device, has been examined by no
authority, and its output is not a diagnosis. Do not use it to decide about a patient.
"""

DATA = """
ChestX-ray14 holds 112,120 frontal films of 30,805 patients (labels of 2020); 84 % of the films are of
patients with more than one, at most 184. Its images come from the **NIH Clinical Center**, which asks
to be acknowledged.
"""

CLAIMS = Table(
    ["The design document says", "The tables and papers say"],
    [
        [
            "The imbalance is about 20:1",
            "87.6:1 between findings (Infiltration 19,894, Hernia 227); 265.9:1 with No Finding",
        ],
        ["No Finding is about 60 % of the films", "53.84 %"],
        ["40 % of the films have several findings", "18.55 %; 40.18 % only of those that have a finding"],
        ["Hernia and Edema are below 1 % each", "Hernia 0.20 %, Edema 2.05 %"],
        [
            "A 70/15/15 split of single films is fit to test on",
            "81.5 % of its test films have their patient in train; X-Lite splits patients",
        ],
        [
            "CheXNet has an AUC of 0.84",
            "on a random patient split; on NIH's own split that network has .80–.82",
        ],
        ["An AUC above 0.80 for each finding", "no published model has it; Infiltration stays at .70–.74"],
        [
            "EfficientNet-B0 is under half of DenseNet-121",
            "4.03 M parameters with a layer for 14 findings: 58 % of 6.97 M",
        ],
    ],
    "Recomputed from NIH's tables, or as published.",
    (1,),
)

LIMITS = """
- **Labels.** They were mined from reports by software. Radiologists who read 4,376 of the films again
  found a pneumothorax in fewer than half of those labelled with one, and some finding in a third of
  those labelled "No Finding".
- **Splits.** NIH's two common test lists differ enough to move the same predictions by .02, so every
  metric here carries the identity of its split, and metrics of different splits are never ranked.
- **Calibration.** A probability is calibrated for the films the model was validated on. At another
  hospital, with another prevalence, it is only an order; sensitivity and specificity may change too.
- **Thresholds.** They are chosen on validation films. One that a person chose says so wherever it is
  shown, and calls on the films that it was chosen on look better than they are.
- **Maps.** A map shows what raised a finding's score. It is coarse (one cell is about 2 % of the film
  at 224 px), it can point beside the finding, and it proves nothing.
- **Shortcuts.** Edema is on 4.5 % of AP films and 0.4 % of PA films: a model may learn the view.
- **Other pictures.** Lateral films, photographs of screens and other parts of the body are of no use to
  it. Children were rare among the films these models learned from.
"""

_PRIVACY = """
{where} An uploaded film stays in the memory of its page and is gone when you close it; nothing read from
it is stored. The bundled example films are drawn by X-Lite. They show no patient.
"""
_HERE = "This app runs on your computer, and no film leaves it."
_ON_A_SERVER = "This app runs on a server: a film that you upload is sent to it, and it hands it to nobody."

_BIBTEX = """@software{{xlite,
  title   = {{X-Lite: small networks for chest X-rays, distilled, evaluated and explained}},
  author  = {{{{The X-Lite authors}}}},
  version = {{{version}}},
  year    = {{2026}}
}}

@inproceedings{{wang2017chestxray8,
  title     = {{ChestX-ray8: Hospital-scale Chest X-ray Database and Benchmarks on Weakly-Supervised
               Classification and Localization of Common Thorax Diseases}},
  author    = {{Wang, Xiaosong and Peng, Yifan and Lu, Le and Lu, Zhiyong and Bagheri, Mohammadhadi
               and Summers, Ronald M.}},
  booktitle = {{IEEE Conference on Computer Vision and Pattern Recognition (CVPR)}},
  pages     = {{3462--3471}},
  year      = {{2017}}
}}"""
_PACKAGES = ("torch", "timm", "onnxruntime", "streamlit", "numpy", "pandas", "plotly")


def privacy() -> str:
    """Where films are read, and what stays of them."""
    return _PRIVACY.format(where=_ON_A_SERVER if is_public() else _HERE)


def bibtex() -> str:
    """How to cite the software and the data set."""
    return _BIBTEX.format(version=__version__)


def versions() -> Table:
    """Of X-Lite, Python and the packages that results depend on, none of which is loaded for it."""
    rows = [["X-Lite", __version__], ["Python", platform.python_version()]]
    return Table(
        ["Software", "Version"], [*rows, *([name, _version(name)] for name in _PACKAGES)], words=(1,)
    )


def card_text(text: str) -> str:
    """A card as a page shows it, its pictures as links: from elsewhere, they would be fetched from there."""
    return without_paths(text).replace("![", "[")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
