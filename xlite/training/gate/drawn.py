"""Pictures that are not chest X-rays, drawn by code: pages, screens, noise, shapes, other parts of a body.

Each function takes a generator of random numbers and returns uint8 (224, 224).
"""

from collections.abc import Callable

import cv2
import numpy as np

from xlite.guards.measure import SIDE

Draw = Callable[[np.random.Generator], np.ndarray]
_WORDS = [
    *("the", "patient", "was", "seen", "with", "no", "sign", "of", "report"),
    *("chest", "date", "left", "right", "clear", "heart", "12", "3", "2019"),
]
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_DUPLEX)


def page(rng: np.random.Generator) -> np.ndarray:
    """A page of text, dark on light or light on dark, in one or two columns, perhaps with a ruled table."""
    side = 2 * SIDE
    paper, ink = (rng.integers(200, 256), rng.integers(0, 90))
    image = np.full((side, side), paper, np.uint8)
    step, font, scale = int(rng.integers(9, 34)), _FONTS[rng.integers(3)], rng.uniform(0.7, 1.1)
    left, top, bottom = rng.integers(5, 60), rng.integers(10, 80), side - rng.integers(0, 160)
    for y in range(int(top), int(bottom), step):
        if rng.random() < 0.1:
            continue
        words = " ".join(rng.choice(_WORDS, 40))
        cv2.putText(image, words, (int(left), y), font, scale * step / 36, int(ink), 1, cv2.LINE_AA)
        cut = side - int(rng.integers(5, 60) if rng.random() < 0.8 else rng.integers(60, side - 100))
        image[y - step : y + step // 2, cut:] = paper
    for _ in range(int(rng.integers(0, 12)) if rng.random() < 0.3 else 0):
        at = int(rng.integers(0, side))
        cv2.line(image, (0, at), (side, at), int(ink), 1)
    return _shown(rng, 255 - image if rng.random() < 0.25 else image)


def screen(rng: np.random.Generator) -> np.ndarray:
    """What a computer's screen shows: bars, boxes, words, a chart."""
    image = np.full((SIDE, SIDE), rng.integers(0, 256), np.uint8)
    for _ in range(int(rng.integers(4, 22))):
        x, y = (int(value) for value in rng.integers(-20, SIDE, 2))
        w, h = (int(value) for value in rng.integers(6, 130, 2))
        cv2.rectangle(image, (x, y), (x + w, y + h), int(rng.integers(256)), int(rng.choice([-1, -1, 1])))
        if rng.random() < 0.6:
            words = " ".join(rng.choice(_WORDS, 4))
            at, grey = (x + 3, y + int(rng.integers(6, 20))), int(rng.integers(256))
            cv2.putText(image, words, at, _FONTS[0], rng.uniform(0.25, 0.6), grey, 1, cv2.LINE_AA)
    if rng.random() < 0.4:
        points = np.stack([np.linspace(10, SIDE - 10, 30), rng.normal(SIDE / 2, 30, 30)], 1).astype(np.int32)
        cv2.polylines(image, [points], False, int(rng.integers(256)), int(rng.integers(1, 4)), cv2.LINE_AA)
    return image


def noise(rng: np.random.Generator) -> np.ndarray:
    """Noise of any grain, from single pixels to clouds as large as a lung."""
    cells = int(rng.choice([3, 4, 6, 8, 12, 20, 40, 90, SIDE]))
    total = np.zeros((SIDE, SIDE), np.float32)
    for octave in range(int(rng.integers(1, 5))):
        count = min(SIDE, cells * 2**octave)
        grain = rng.normal(0, rng.uniform(0.3, 1) ** octave, (count, count)).astype(np.float32)
        total += cv2.resize(grain, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return _stretched(total, rng)


def gradient(rng: np.random.Generator) -> np.ndarray:
    """Greys that run from one side or from a point; perhaps stripes or a checkerboard."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    angle, kind = rng.uniform(0, 2 * np.pi), rng.integers(4)
    run = x * np.cos(angle) + y * np.sin(angle)
    if kind == 1:
        run = np.hypot(x - rng.random(), y - rng.random())
    elif kind == 2:
        run = np.sin(run * rng.uniform(5, 80))
    elif kind == 3:
        squares = int(rng.integers(2, 24))
        run = ((x * squares).astype(int) + (y * squares).astype(int)) % 2 + 0.05 * run
    return _stretched(run.astype(np.float32), rng)


def blank(rng: np.random.Generator) -> np.ndarray:
    """One grey, perhaps with a little noise, a frame or a letter."""
    image = np.full((SIDE, SIDE), float(rng.integers(0, 256))) + rng.normal(
        0, rng.uniform(0, 6), (SIDE, SIDE)
    )
    picture = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        edge = int(rng.integers(1, 30))
        cv2.rectangle(picture, (0, 0), (SIDE, SIDE), int(rng.integers(256)), edge)
    if rng.random() < 0.4:
        at = (int(rng.integers(5, 190)), int(rng.integers(20, 215)))
        cv2.putText(
            picture, "R" if rng.random() < 0.5 else "L", at, _FONTS[0], 0.8, int(rng.integers(256)), 2
        )
    return picture


def shapes(rng: np.random.Generator) -> np.ndarray:
    """Ellipses, polygons and lines, sharp or soft: also two dark ovals side by side, which are not lungs."""
    image = np.full((SIDE, SIDE), rng.integers(0, 256), np.uint8)
    for _ in range(int(rng.integers(1, 9))):
        grey, at = int(rng.integers(256)), tuple(int(v) for v in rng.integers(0, SIDE, 2))
        if rng.random() < 0.6:
            axes = tuple(int(v) for v in rng.integers(5, 100, 2))
            cv2.ellipse(image, at, axes, int(rng.integers(180)), 0, 360, grey, int(rng.choice([-1, -1, 3])))
        else:
            points = rng.integers(0, SIDE, (int(rng.integers(2, 6)), 2)).astype(np.int32)
            cv2.fillPoly(image, [points], grey)
    if rng.random() < 0.25:
        image[:] = rng.integers(120, 256)
        for x in (62, 162):
            cv2.ellipse(
                image, (x, 112), (int(rng.integers(25, 48)), 75), 0, 0, 360, int(rng.integers(0, 90)), -1
            )
    return _blurred(image, rng.uniform(0.3, 9)) if rng.random() < 0.6 else image


def limb(rng: np.random.Generator) -> np.ndarray:
    """A hand, an arm or a leg: bright bones in grey tissue on black."""
    thick = np.zeros((SIDE, SIDE), np.float32)
    fingers = int(rng.choice([1, 2, 2, 5]))
    for number in range(fingers):
        lean = (number - (fingers - 1) / 2) * rng.uniform(0.1, 0.35) + rng.normal(0, 0.1)
        foot = np.array([112 + (number - (fingers - 1) / 2) * 24, 230.0])
        tip = foot + rng.uniform(120, 250) * np.array([np.sin(lean), -np.cos(lean)])
        width = rng.uniform(5, 11) if fingers == 5 else rng.uniform(10, 26)
        tissue, bone = np.zeros_like(thick), np.zeros_like(thick)
        start, end = foot.astype(int).tolist(), tip.astype(int).tolist()
        cv2.line(tissue, start, end, 0.35, int(width * rng.uniform(2, 4)), cv2.LINE_AA)
        cv2.line(bone, start, end, rng.uniform(0.3, 0.6), int(width), cv2.LINE_AA)
        for joint in rng.uniform(0.2, 0.95, int(rng.integers(1, 4))):
            centre = tuple(int(v) for v in foot + joint * (tip - foot))
            cv2.circle(bone, centre, int(width * 0.8), 0.65, -1, cv2.LINE_AA)
        thick = np.maximum(thick, tissue) + bone
    return _as_film(thick, rng)


def skull_or_belly(rng: np.random.Generator) -> np.ndarray:
    """A skull, a belly with gas, a pelvis: one large bright body with darker and brighter parts."""
    thick = np.zeros((SIDE, SIDE), np.float32)
    centre, axes = (
        (112 + int(rng.integers(-15, 15)), 112 + int(rng.integers(-20, 20))),
        rng.integers(70, 112, 2),
    )
    cv2.ellipse(thick, centre, tuple(int(v) for v in axes), 0, 0, 360, 0.6, -1)
    if rng.random() < 0.5:
        cv2.ellipse(thick, centre, tuple(int(v) for v in axes), 0, 0, 360, 1.0, int(rng.integers(4, 12)))
    for _ in range(int(rng.integers(3, 14))):
        at = tuple(int(c + v) for c, v in zip(centre, rng.normal(0, 38, 2), strict=True))
        part = np.zeros_like(thick)
        size = tuple(int(v) for v in rng.integers(5, 34, 2))
        cv2.ellipse(part, at, size, int(rng.integers(180)), 0, 360, 1.0, int(rng.choice([-1, -1, 4])))
        thick += rng.uniform(-0.35, 0.35) * part
    if rng.random() < 0.5:
        cv2.line(thick, (112, 0), (112 + int(rng.integers(-8, 8)), 224), 1.0, int(rng.integers(10, 26)))
    return _as_film(thick, rng)


DRAWN: dict[str, Draw] = {
    "page of text": page,
    "screen": screen,
    "noise": noise,
    "gradient": gradient,
    "blank": blank,
    "shapes": shapes,
    "drawn limb": limb,
    "drawn skull or belly": skull_or_belly,
}


def _as_film(thick: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    soft = _blurred(thick, rng.uniform(1, 4)) + 0.1 * (noise(rng) / 255 - 0.5) * (thick > 0)
    return np.clip(255 * np.clip(soft, 0, 1.3) / 1.3, 0, 255).astype(np.uint8)


def _stretched(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Values to greys of some range within 0-255."""
    low, high = np.sort(rng.integers(0, 256, 2)) if rng.random() < 0.5 else (0, 255)
    span = float(values.max() - values.min()) or 1.0
    return np.asarray(low + (values - values.min()) / span * (high - low)).astype(np.uint8)


def _shown(rng: np.random.Generator, page: np.ndarray) -> np.ndarray:
    """A page at some size, perhaps with margins."""
    if rng.random() < 0.3:
        page = np.pad(page, rng.integers(0, 160, (2, 2)), constant_values=255)
    return cv2.resize(page, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma))
