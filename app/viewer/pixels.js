// Greys and colours, pixel by pixel. Tables come with the page, so that browser and server paint alike.

/** What a film's greys 0-255 are shown as: black at `centre - width / 2`, white at `centre + width / 2`. */
export function windowed(centre, width, inverted) {
  const shown = new Uint8ClampedArray(256);
  for (let grey = 0; grey < 256; grey++) shown[grey] = (255 * (grey - centre + width / 2)) / width;
  return inverted ? shown.map((grey) => 255 - grey) : shown;
}

/** The pixels RGBA of a film's greys, as a table shows them. */
export function greyPixels(greys, table) {
  const words = Uint32Array.from(table, (grey) => 0xff000000 | (grey << 16) | (grey << 8) | grey);
  const pixels = new Uint32Array(greys.length);
  for (let at = 0; at < greys.length; at++) pixels[at] = words[greys[at]];
  return new Uint8ClampedArray(pixels.buffer);
}

/** Between which of `count` cells, and how far from the first, each of `length` px lies. */
function neighbours(count, length) {
  return Array.from({ length }, (_, at) => {
    const place = Math.min(Math.max(((at + 0.5) * count) / length - 0.5, 0), count - 1);
    const first = Math.floor(place);
    return [first, Math.min(first + 1, count - 1), place - first];
  });
}

/** A map's levels 0-255 (rows, columns) in a frame (height, width): linear between the middles of cells. */
export function enlarged({ grid, rows, columns }, width, height) {
  const levels = new Uint8Array(width * height), across = neighbours(columns, width);
  let at = 0;
  for (const [upper, lower, down] of neighbours(rows, height)) {
    const line = Float32Array.from({ length: columns }, (_, column) => {
      const above = grid[upper * columns + column];
      return above + down * (grid[lower * columns + column] - above);
    });
    for (const [left, right, share] of across) {
      levels[at++] = line[left] + share * (line[right] - line[left]) + 0.5;
    }
  }
  return levels;
}

/** The pixels RGBA of a map: coloured by a table (256 x RGB) up to its own peak, as opaque as it is high. */
export function mapPixels(levels, table) {
  const peak = levels.reduce((most, level) => Math.max(most, level), 0);
  const words = new Uint32Array(256);
  for (let level = 1; level <= peak; level++) {
    const seen = Math.round((255 * level) / peak);
    const [red, green, blue] = table.subarray(3 * seen, 3 * seen + 3);
    words[level] = ((seen << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }
  const pixels = new Uint32Array(levels.length);
  for (let at = 0; at < levels.length; at++) pixels[at] = words[levels[at]];
  return new Uint8ClampedArray(pixels.buffer);
}
