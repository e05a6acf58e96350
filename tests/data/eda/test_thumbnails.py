"""Films made small with their boxes."""

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from xlite.data.eda.thumbnails import thumbnail
from xlite.data.tables import BOX_COLUMNS
from xlite.errors import ImageError


def test_thumbnail_draws_each_box_in_the_frame_of_the_film(tmp_path: Path):
    path = tmp_path / "film.png"
    cv2.imwrite(str(path), np.zeros((100, 200), np.uint8))
    box = pd.DataFrame([("film", "Mass", 256.0, 512.0, 512.0, 256.0)], columns=BOX_COLUMNS)
    plain = np.asarray(Image.open(BytesIO(thumbnail(path, box[:0], side=400))))
    assert plain.shape == (200, 400, 3) and plain.max() == 0
    drawn = np.asarray(Image.open(BytesIO(thumbnail(path, box, side=400)))).max(axis=2)
    # x from 100 to 300, y from 100 to 150; the name stands above
    assert drawn[100:151, [100, 300]].min() > 100 and drawn[[100, 150], 100:301].min() > 100
    assert drawn[108:142, 110:290].max() < 40 and drawn[160:].max() < 40 and drawn[80:97].max() > 100


def test_a_broken_film_raises(tmp_path: Path):
    (tmp_path / "film.png").write_text("not a film")
    with pytest.raises(ImageError, match=r"film\.png"):
        thumbnail(tmp_path / "film.png", pd.DataFrame(columns=BOX_COLUMNS))
