// Where a film lies on the screen. Film px: x to the right, y down, from the film's own upper left corner;
// screen: CSS px of a pane. A view: the film's point in the middle of the pane (x, y), CSS px a film px (scale),
// quarter turns clockwise (turn, 0-3), and whether it stays fitted as the pane changes (fits).

const LARGEST_SCALE = 32;
const QUARTERS = [[1, 0], [0, 1], [-1, 0], [0, -1]];

function quarters(x, y, turn) {
  const [cosine, sine] = QUARTERS[turn];
  return [cosine * x - sine * y, sine * x + cosine * y];
}

const between = (value, low, high) => Math.min(Math.max(value, low), high);

/** A film's point on the screen. */
export function toScreen(view, pane, x, y) {
  const [right, down] = quarters(x - view.x, y - view.y, view.turn);
  return [pane.width / 2 + view.scale * right, pane.height / 2 + view.scale * down];
}

/** The film's point at a place on the screen. */
export function toFilm(view, pane, left, top) {
  const right = (left - pane.width / 2) / view.scale, down = (top - pane.height / 2) / view.scale;
  const [x, y] = quarters(right, down, (4 - view.turn) % 4);
  return [view.x + x, view.y + y];
}

/** A box of film px {x, y, width, height} on the screen: {left, top, width, height}. */
export function boxOnScreen(view, pane, box) {
  const [left, top] = toScreen(view, pane, box.x, box.y);
  const [right, bottom] = toScreen(view, pane, box.x + box.width, box.y + box.height);
  return {
    left: Math.min(left, right), top: Math.min(top, bottom),
    width: Math.abs(right - left), height: Math.abs(bottom - top),
  };
}

/** The largest scale at which the whole film is seen. */
export function fitScale(film, pane, turn) {
  const [across, down] = turn % 2 ? [film.height, film.width] : [film.width, film.height];
  return Math.min(pane.width / across, pane.height / down);
}

/** The whole film in the middle of the pane. */
export const fitted = (film, pane, turn) =>
  ({ x: film.width / 2, y: film.height / 2, scale: fitScale(film, pane, turn), turn, fits: true });

/** A view that shows no more of what is beside the film than it must. */
export function held(view, film, pane) {
  const [across, down] = view.turn % 2 ? [pane.height, pane.width] : [pane.width, pane.height];
  const inside = (middle, length, seen) =>
    seen >= length ? length / 2 : between(middle, seen / 2, length - seen / 2);
  return {
    ...view,
    x: inside(view.x, film.width, across / view.scale),
    y: inside(view.y, film.height, down / view.scale),
  };
}

/** A view at another scale, the film's point at (left, top) on the screen staying there. */
export function scaled(view, film, pane, wanted, left, top, onePixel = 1) {
  const fit = fitScale(film, pane, view.turn);
  const scale = between(wanted, Math.min(fit, onePixel), Math.max(fit, LARGEST_SCALE));
  const [x, y] = toFilm(view, pane, left, top);
  const [right, down] = [(left - pane.width / 2) / scale, (top - pane.height / 2) / scale];
  const [dx, dy] = quarters(right, down, (4 - view.turn) % 4);
  return held({ ...view, x: x - dx, y: y - dy, scale, fits: scale === fit }, film, pane);
}

/** A view whose film was dragged by so many px of the screen; a whole film stays in the middle. */
export function dragged(view, film, pane, right, down) {
  const [dx, dy] = quarters(right / view.scale, down / view.scale, (4 - view.turn) % 4);
  return held({ ...view, x: view.x - dx, y: view.y - dy }, film, pane);
}

/** A view turned on by so many quarters, its middle staying in the middle. */
export function turnedBy(view, film, pane, by) {
  const turn = (view.turn + by + 4) % 4;
  return view.fits ? fitted(film, pane, turn) : held({ ...view, turn }, film, pane);
}

/** The view as it is to be once the pane has another size. */
export const resized = (view, film, pane) =>
  view.fits ? fitted(film, pane, view.turn) : held(view, film, pane);

/** The cell of a map that a film's point lies in: row and column, from 0, and box; null beside the film. */
export function cellAt(film, map, x, y) {
  if (x < 0 || y < 0 || x >= film.width || y >= film.height) return null;
  const row = Math.floor((y * map.rows) / film.height), column = Math.floor((x * map.columns) / film.width);
  return { row, column, box: cellBox(film, map, row, column) };
}

/** A cell of a map as a box of film px. */
export function cellBox(film, map, row, column) {
  const width = film.width / map.columns, height = film.height / map.rows;
  return { x: column * width, y: row * height, width, height };
}

/** The box {x, y, width, height} between two of the film's points, as far as it lies on the film. */
export function boxBetween(film, [x0, y0], [x1, y1]) {
  const [left, right] = [x0, x1].map((x) => between(x, 0, film.width)).sort((a, b) => a - b);
  const [top, bottom] = [y0, y1].map((y) => between(y, 0, film.height)).sort((a, b) => a - b);
  return { x: left, y: top, width: right - left, height: bottom - top };
}
