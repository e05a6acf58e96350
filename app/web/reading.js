// Maps over films, in the colours of xlite.explain.drawing, and what keeps one from showing a place.

const FLAT = 0.1, RIM = 0.08; // as xlite.explain.faults has them

/** The map (h, w) of one finding. */
export function coarseMap({ rows, columns, data }, finding) {
  return { rows, columns, data: data.subarray(finding * rows * columns, (finding + 1) * rows * columns) };
}

/** "empty", "flat" or "outside"; null if the map shows a place in the chest. */
export function mapFault({ rows, columns, data }) {
  const top = Math.max(...data);
  if (top <= 0) return "empty";
  if (top - Math.min(...data) < FLAT * top) return "flat";
  const atRim = (place) => Math.min(place, 1 - place) < RIM;
  const isOutside = (cell) =>
    atRim((Math.floor(cell / columns) + 0.5) / rows) || atRim(((cell % columns) + 0.5) / columns);
  return [...data.keys()].filter((cell) => data[cell] === top).every(isOutside) ? "outside" : null;
}

/** A map in the frame of a film, 0-1 with its peak at 1: linear between the middles of its cells. */
export function fineMap({ rows, columns, data }, width, height) {
  const across = steps(columns, width), down = steps(rows, height), fine = new Float32Array(width * height);
  let peak = 0;
  for (let y = 0; y < height; y++) {
    const { at: above, next: below, part } = down[y];
    for (let x = 0; x < width; x++) {
      const one = across[x];
      const mix = (row) => data[row * columns + one.at] * (1 - one.part) + data[row * columns + one.next] * one.part;
      const value = mix(above) * (1 - part) + mix(below) * part;
      fine[y * width + x] = value;
      if (value > peak) peak = value;
    }
  }
  if (peak > 0) for (let at = 0; at < fine.length; at++) fine[at] /= peak;
  return fine;
}

function steps(length, size) {
  return Array.from({ length: size }, (_, pixel) => {
    const place = Math.min(Math.max(((pixel + 0.5) * length) / size - 0.5, 0), length - 1), at = Math.floor(place);
    return { at, next: Math.min(at + 1, length - 1), part: place - at };
  });
}

/** The film under its map as ImageData; `colours` are RGB bytes by level. A map with a fault is not painted. */
export function overlay(film, map, opacity, colours) {
  const { width, height, pixels } = film, image = new ImageData(width, height), { data } = image;
  const heat = mapFault(map) ? null : fineMap(map, width, height), top = colours.length / 3 - 1;
  for (let at = 0; at < pixels.length; at++) {
    const seen = heat ? heat[at] : 0, alpha = opacity * seen, level = 3 * Math.floor(seen * top);
    for (let channel = 0; channel < 3; channel++) {
      data[4 * at + channel] = (1 - alpha) * pixels[at] + alpha * colours[level + channel];
    }
    data[4 * at + 3] = 255;
  }
  return image;
}

/** Outlines one cell of a map in the lower left corner of a canvas. */
export function drawCell(context, width, height, { rows, columns }) {
  const line = Math.max(1, Math.round(Math.min(width, height) / 400));
  const left = 3 * line + 0.5, bottom = height - 0.5 - 3 * line;
  for (const [thickness, colour] of [[3 * line, "#000"], [line, "#fff"]]) {
    [context.lineWidth, context.strokeStyle] = [thickness, colour];
    context.strokeRect(left, bottom - Math.round(height / rows), Math.round(width / columns), Math.round(height / rows));
  }
}
