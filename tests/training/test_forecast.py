"""What a forecast adds up to, and how it is said."""

import pytest
from forecasts import FORECAST

from xlite.training.forecast import basis, forecast_facts, rounded


def test_a_forecast_adds_up_opening_decoding_epochs_and_the_judgement():
    assert FORECAST.epoch_s == 5 * 2.0 + 20 * 0.1
    assert FORECAST.seconds == pytest.approx(3 + 10 * 12 + 40 * 0.1)
    assert FORECAST.model_copy(update={"decode_s": 30.0}).seconds == pytest.approx(3 + 30 + 10 * 12 + 4)
    assert FORECAST.films_a_second == 10.0
    assert FORECAST.model_copy(update={"processes": 2}).films_a_second == 20.0


def test_a_forecast_is_said_in_titles_and_texts():
    assert forecast_facts(FORECAST) == {
        "Time": "about 2 min",
        "An epoch": "about 10 s",
        "Films a second": "10",
        "Memory": "2.0 of 8.0 free GB",
        "Disk": "0.10 GB",
        "Device": "cpu",
    }
    unknown = FORECAST.model_copy(update={"memory_gb": None, "cache_gb": 5.62, "step_s": 20.0})
    assert forecast_facts(unknown) | {"Time": "", "An epoch": "", "Device": ""} == {
        "Time": "",
        "An epoch": "",
        "Films a second": "1",
        "Memory": "–",
        "Disk": "5.7 GB",
        "Device": "",
    }


def test_the_basis_of_a_forecast_names_all_that_it_rests_on():
    assert " films: 101 s a step, " in basis(FORECAST.model_copy(update={"step_s": 101.4}))
    assert basis(FORECAST) == (
        "From 3 real steps on 20 films: 2 s a step, 5 steps an epoch, 10 epochs at most, and 20 films to "
        "validate on."
    )
    changed = {"measured": 8, "decode_s": 600.0, "processes": 2, "beside": 1}
    assert basis(FORECAST.model_copy(update=changed)) == (
        "From 3 real steps on 8 films of a batch's 20: 2 s a step, 5 steps an epoch, 10 epochs at most, and "
        "20 films to validate on. Decoding all films once, about 10 min, is in it. 2 processes share each "
        "batch; the time to agree is not in it. 1 other run was training meanwhile, so alone it is faster."
    )


def test_a_busy_machine_is_said_of_what_was_measured_on_it():
    said = "The machine is busy with other work, so it may be several times faster when that ends."
    assert basis(FORECAST.model_copy(update={"load": 4.0})).endswith(said)
    for quiet in ({"load": 1.0}, {"load": None}, {"load": 4.0, "device": "cuda:0"}):
        assert said not in basis(FORECAST.model_copy(update=quiet))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (12.4, "10 s"), (62.5, "1 min"), (89, "1 min 30 s"), (127, "2 min"), (7300, "2 h")]
    + [(20000, "5.6 h"), (3.94 * 86400, "3.9 days")],
)
def test_times_are_rounded_to_what_they_are_worth(seconds: float, text: str):
    assert rounded(seconds) == text
