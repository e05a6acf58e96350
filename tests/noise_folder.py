"""An NIH folder of noise films, for every test that needs some data."""

from pathlib import Path

import cv2
import numpy as np

from xlite.findings import FINDINGS

HEADER_2020 = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)


def write_noise_folder(
    root: Path, patients: int = 12, films_each: int = 2, size: int = 64, seed: int = 0
) -> Path:
    """An NIH folder of noise films: patient p has finding p % 14 on the first film and none on the others."""
    rng = np.random.default_rng(seed)
    (root / "images").mkdir(parents=True)
    rows, trainval, test = [HEADER_2020], [], []
    for patient in range(1, patients + 1):
        for film in range(films_each):
            name = f"{patient:08d}_{film:03d}.png"
            cv2.imwrite(str(root / "images" / name), rng.integers(0, 256, (size, size), dtype=np.uint8))
            label = FINDINGS[patient % 14] if film == 0 else "No Finding"
            sex, view = "MF"[patient % 2], ("PA", "AP")[film % 2]
            rows.append(
                f"{name},{label},{film},{patient},{30 + patient},{sex},{view},{size},{size},0.14,0.14"
            )
            (test if patient % 4 == 0 else trainval).append(name)
    (root / "Data_Entry_2017_v2020.csv").write_text("\n".join(rows) + "\n")
    (root / "train_val_list.txt").write_text("\n".join(trainval) + "\n")
    (root / "test_list.txt").write_text("\n".join(test) + "\n")
    return root
