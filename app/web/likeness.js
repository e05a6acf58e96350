// How unlike the training films a film is, in the model's own features: xlite.guards.likeness in this page.

/** The distance of pooled features (C) from those of training; `likeness` as a model file keeps it. */
export function distance(features, likeness) {
  const { mean, variances, rest, axes } = parts(likeness), away = Array.from(features, (value, at) => rooted(value) - mean[at]);
  let along = 0, explained = 0;
  axes.forEach((axis, number) => {
    const length = axis.reduce((sum, share, at) => sum + share * away[at], 0);
    along += length ** 2 / variances[number];
    explained += length ** 2;
  });
  const beside = Math.max(away.reduce((sum, value) => sum + value ** 2, 0) - explained, 0);
  return Math.sqrt((along + beside / rest) / features.length);
}

const rooted = (value) => Math.sign(value) * Math.sqrt(Math.abs(value));

/** Mean (C), variances along the axes (K), the variance in any other direction, and the axes, K of (C). */
function parts({ values, channels, axes: count }) {
  const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0)), view = new DataView(bytes.buffer);
  const single = (at) => view.getFloat32(4 * at, true), behind = 4 * (channels + count + 1);
  const all = (length, read) => Array.from({ length }, (_, at) => read(at));
  return {
    mean: all(channels, single),
    variances: all(count, (at) => single(channels + at)),
    rest: single(channels + count),
    axes: all(count, (row) => all(channels, (at) => half(view.getUint16(behind + 2 * (row * channels + at), true)))),
  };
}

/** A float16 by its bits: not all browsers read it themselves. */
function half(bits) {
  const sign = bits >> 15 ? -1 : 1, power = (bits >> 10) & 31, digits = bits & 1023;
  return sign * (power ? 2 ** (power - 15) * (1 + digits / 1024) : 2 ** -14 * (digits / 1024));
}
