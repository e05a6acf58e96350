// From a film to a model's input, with the arithmetic of OpenCV, so that the answers are Python's.
//
// A film is {width, height, pixels}: grey levels 0-255 as Uint8Array, row by row.

import { roundEven } from "./grey.js";

const COEFFICIENT = 2048; // of one, in the whole numbers that OpenCV interpolates bytes with

/** The film in a size of its own: averaged over areas if it shrinks by `xlite.images.Preprocess`, else linear. */
export function squash(film, side) {
  const shrinks = film.width * film.height > side ** 2;
  return shrinks ? shrink(film, side, side) : linear(film, side, side, centred);
}

/** A film for the eye: at most `side` px on its longer side; a smaller one stays as it is. */
export function forScreen(film, side) {
  const scale = side / Math.max(film.width, film.height);
  if (scale >= 1) return film;
  const [width, height] = [film.width, film.height].map((length) => Math.max(1, roundEven(length * scale)));
  return shrink(film, width, height);
}

/** cv2.resize with INTER_AREA: a film that is enlarged in either direction is interpolated instead. */
export function shrink(film, width, height) {
  const [across, down] = [film.width / width, film.height / height];
  if (across < 1 || down < 1) return linear(film, width, height, areaLike);
  return Number.isInteger(across) && Number.isInteger(down)
    ? wholeAreas(film, width, height, across, down)
    : areas(film, width, height);
}

/** Float32Array (3, S, S): values of 0-1, less the mean and by the deviation of each channel. */
export function normalise(film, mean, std) {
  const count = film.pixels.length;
  const input = new Float32Array(3 * count);
  for (let channel = 0; channel < 3; channel++) {
    const levels = Float32Array.from({ length: 256 }, (_, level) =>
      Math.fround(Math.fround(level / 255) - Math.fround(mean[channel])) / Math.fround(std[channel]));
    for (let at = 0; at < count; at++) input[channel * count + at] = levels[film.pixels[at]];
  }
  return input;
}

/** How many grey levels the middle 90 % of a film's 16 x 16 fields span: few if it is blank. */
export function contrast(film) {
  const means = shrink(film, 16, 16).pixels.slice().sort();
  const at = (share) => {
    const place = share * (means.length - 1), below = Math.floor(place);
    return means[below] + (place - below) * (means[Math.min(below + 1, means.length - 1)] - means[below]);
  };
  return at(0.95) - at(0.05);
}

/** Averages over areas of whole pixels; what is left over of the last rows and columns is lost. */
export function wholeAreas(film, width, height, across, down) {
  const pixels = new Uint8Array(width * height);
  const share = Math.fround(1 / (across * down));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let row = y * down; row < (y + 1) * down; row++) {
        const start = row * film.width + x * across;
        for (let at = start; at < start + across; at++) sum += film.pixels[at];
      }
      const halved = across === 2 && down === 2; // which OpenCV rounds up, the others to even
      pixels[y * width + x] = halved ? (sum + 2) >> 2 : roundEven(Math.fround(sum * share));
    }
  }
  return { width, height, pixels };
}

function areas(film, width, height) {
  const rows = shares(film.height, height), columns = shares(film.width, width).map((parts) => ({
    first: parts[0][0], parts: Float32Array.from(parts, ([, part]) => part),
  }));
  const pixels = new Uint8Array(width * height);
  const line = new Float32Array(width), sum = new Float32Array(width);
  for (let y = 0; y < height; y++) {
    sum.fill(0);
    for (const [row, weight] of rows[y]) {
      average(film.pixels, row * film.width, columns, line);
      for (let x = 0; x < width; x++) sum[x] += Math.fround(weight * line[x]);
    }
    for (let x = 0; x < width; x++) pixels[y * width + x] = Math.min(255, roundEven(sum[x]));
  }
  return { width, height, pixels };
}

/** Fills a line with the averages of the pixels that start at `start`. */
function average(pixels, start, columns, line) {
  for (let x = 0; x < line.length; x++) {
    const { first, parts } = columns[x];
    let sum = 0;
    for (let at = 0; at < parts.length; at++) {
      sum = Math.fround(sum + Math.fround(pixels[start + first + at] * parts[at]));
    }
    line[x] = sum;
  }
}

/** For each of `size` cells the pixels of `length` under it, and the share of each (computeResizeAreaTab). */
function shares(length, size) {
  const scale = length / size;
  return Array.from({ length: size }, (_, cell) => {
    const start = cell * scale, end = start + scale, whole = Math.min(scale, length - start);
    const last = Math.min(Math.floor(end), length - 1), first = Math.min(Math.ceil(start), last);
    const parts = [];
    if (first - start > 1e-3) parts.push([first - 1, Math.fround((first - start) / whole)]);
    for (let at = first; at < last; at++) parts.push([at, Math.fround(1 / whole)]);
    if (end - last > 1e-3) {
      parts.push([last, Math.fround(Math.min(end - last, 1, whole) / whole)]);
    }
    return parts;
  });
}

/** Interpolated in whole numbers; `place` says between which pixels each one lies. */
function linear(film, width, height, place) {
  const columns = places(film.width, width, place), rows = places(film.height, height, place);
  const pixels = new Uint8Array(width * height);
  const across = (row) => columns.map(([at, next, before, after]) =>
    film.pixels[row * film.width + at] * before + film.pixels[row * film.width + next] * after);
  rows.forEach(([row, next, before, after], y) => {
    const above = across(row), below = across(next);
    for (let x = 0; x < width; x++) {
      const sum = ((before * (above[x] >> 4)) >> 16) + ((after * (below[x] >> 4)) >> 16);
      pixels[y * width + x] = Math.min(255, (sum + 2) >> 2);
    }
  });
  return { width, height, pixels };
}

/** For each of `size` pixels the two of `length` that it lies between, and the weight of each. */
export function places(length, size, place = centred) {
  return Array.from({ length: size }, (_, pixel) => {
    let [at, part] = place(pixel, 1 / (size / length));
    if (at < 0) [at, part] = [0, 0];
    if (at >= length - 1) [at, part] = [length - 1, 0];
    const after = Math.fround(part);
    const weights = [Math.fround(1 - after), after].map((one) => roundEven(Math.fround(one * COEFFICIENT)));
    return [at, Math.min(at + 1, length - 1), ...weights];
  });
}

function centred(pixel, scale) {
  const at = Math.fround((pixel + 0.5) * scale - 0.5);
  return [Math.floor(at), at - Math.floor(at)];
}

/** As INTER_AREA places pixels where it cannot average: nearest, but for those between two. */
function areaLike(pixel, scale) {
  const at = Math.floor(pixel * scale);
  const part = Math.fround(pixel + 1 - (at + 1) / scale);
  return [at, part <= 0 ? 0 : part - Math.floor(part)];
}
