"""The report on a terminal."""

from demo_home import SPLIT, drawn_report

from xlite.evaluation.caveats import Said, TrainedOn
from xlite.report.sentences import clean
from xlite.report.terminal import summary


def test_a_summary_has_a_row_a_finding_the_films_and_the_warnings() -> None:
    report, _ = drawn_report(caveats=[Said(text="another edition")])
    lines = summary(report).splitlines()
    assert len(lines[0].split()) == 7
    mass = report.per_class["Mass"]
    assert [line.split()[:4] for line in lines if line.startswith("Mass")] == [
        ["Mass", f"{mass.auc.value:.3f}", f"{mass.auc.low:.3f}", "to"]
    ]
    assert [line.split()[1:] for line in lines if line.startswith("Hernia")] == [
        ["–", "–", "to", "–", "–", "–", "0"]
    ]
    assert f"200 films of 100 patients, split {SPLIT}, part test, labels 2020" in lines
    assert "Warning: another edition" in lines
    assert not any(line.startswith("Contaminated") for line in lines)


def test_a_contaminated_summary_counts_the_films_and_has_the_clean_mean() -> None:
    _, films = drawn_report()
    for known in (films.stems[:60], films.stems):
        seen = TrainedOn(films=200, known=len(known), stems=frozenset(known))
        report, _ = drawn_report(caveats=[seen])
        lines = summary(report).splitlines()
        assert any(line.startswith(f"Contaminated: {len(known)} of 200 films") for line in lines)
        assert clean(report) in lines
    assert clean(report).endswith("none is left")
