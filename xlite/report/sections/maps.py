"""Where the maps look: their figures against radiologists' boxes."""

from xlite.evaluation.localisation_report import describe
from xlite.metrics.localisation import BASELINES
from xlite.report.document import Alert, Block, Cell, Table, Text
from xlite.report.sections.marks import sentence, struck
from xlite.report.sentences import source
from xlite.text import counted, number


def localisation(report: dict) -> list[Block]:
    """The pointing game and overlaps of each map, beside maps that know nothing and published figures."""
    found = report.get("localisation")
    if found is None:
        return [
            Text("No box of this folder is on a film of this part, so where the maps look is not judged.")
        ]
    split = found["split"]
    blocks: list[Block] = [
        Text(
            f"{counted(split['boxes'], 'box', 'boxes')} on {split['films']:,} of these films. Pointing: the "
            "share of boxes that hold the peak of their finding's map. IoBB and IoU: the share that a box "
            "of the map overlaps by more than that, both as Wang 2017 has them. A random map is the mean of "
            "ten; the centre's says the middle of every film."
        )
    ]
    if found["warnings"]:
        blocks.append(Alert("To keep in mind", [sentence(text) for text in found["warnings"]]))
    blocks += [_table(header, rows, report, found) for header, rows in describe(found)]
    return [*blocks, _published(found)]


def _table(header: list[str], rows: list[list[str]], report: dict, found: dict) -> Table:
    """A table of `describe`; what the model itself did is struck through where the films are contaminated."""
    own = found["methods"].keys() - BASELINES
    counts = next(iter(found["methods"].values()))["faults"].keys()
    cells = [
        [
            title,
            *(
                struck(report, text) if name in own or (title in own and name not in counts) else text
                for name, text in zip(header[1:], figures, strict=True)
            ),
        ]
        for title, *figures in rows
    ]
    return Table([header[0].capitalize(), *header[1:]], cells)


def _published(found: dict) -> Table:
    """Published figures; grey: of other boxes."""
    rows = [
        [
            Cell(text, grey=one["not_comparable"] is not None)
            for text in (
                one["name"],
                *(number(one.get(key, {}).get("mean"), absent="") for key in ("pointing", "iobb_0.25")),
                one["not_comparable"] or "measured on the same boxes",
            )
        ]
        for one in found["published"]
    ]
    header = ["Published, mean of findings", "Pointing", "IoBB>0.25", "Boxes"]
    # The films of these figures are those with a box.
    caption = source(found | {"split": found["split"] | {"images": found["split"]["films"]}})
    return Table(header, rows, caption, (3,))
