from pathlib import Path

import pytest
from app_pages import page, words
from demo_home import save_demo_model

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home")


def test_about_shows_the_card_of_the_model_on_duty(own_home: Path):
    path = save_demo_model(own_home)
    path.with_name("MODEL_CARD.md").write_text("Trained on **nothing** ![x](https://evil.example/x.png).")
    text = words(page("about").run())
    assert "Trained on **nothing** [x](https://evil.example/x.png)." in text  # a picture would be fetched
    assert "Not for clinical use" in text and "NIH Clinical Center" in text
