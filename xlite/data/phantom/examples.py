"""The phantoms that ship with the app: films to try before there is any data."""

from pathlib import Path

from xlite.data.phantom.draw import draw_film
from xlite.data.phantom.labels import DETECTORS, Film
from xlite.data.phantom.write import encode_png

SIZE, SEED = 512, 2026
EXAMPLES = {
    "effusion": (903, "PA", ("Effusion",)),
    "pneumothorax": (911, "PA", ("Pneumothorax",)),
    "cardiomegaly": (905, "PA", ("Cardiomegaly",)),
    "mass": (924, "PA", ("Mass",)),
    "edema_effusion": (907, "AP", ("Edema", "Effusion")),
    "hernia": (908, "PA", ("Hernia",)),
    "normal_pa": (901, "PA", ()),
    "normal_ap": (902, "AP", ()),
}


def example_film(name: str) -> Film:
    """The film behind one of the bundled examples."""
    patient, view, findings = EXAMPLES[name]
    wide, high, spacing, _ = DETECTORS[view][0]
    return Film(patient, 0, 61, "MF"[patient % 2], view, findings, (wide, high), spacing)


def write_examples(out: Path) -> None:
    """Draws the examples into `out`: a 512 px PNG each and `examples.csv` (file, findings, view)."""
    out.mkdir(parents=True, exist_ok=True)
    rows = ["file,findings,view"]
    for name, (_, view, findings) in EXAMPLES.items():
        drawing = draw_film(example_film(name), SIZE, SEED)
        (out / f"{name}.png").write_bytes(encode_png(drawing.image))
        rows.append(f"{name}.png,{'|'.join(findings) or 'No Finding'},{view}")
    (out / "examples.csv").write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
