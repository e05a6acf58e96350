// What a picture is, before it is read: xlite.guards in this page. All limits, words and weights stand in model.json.
//
// A film is {width, height, pixels}: grey levels 0-255 as Uint8Array, row by row.

import { contrast, shrink, squash, wholeAreas } from "./preprocess.js";

const QUARTERS = ["rotated_90", "rotated_180", "rotated_270"]; // counterclockwise quarters that turn it upright

/** The verdict on a film: {verdict, reasons, sentences, scores}; `run` gives the network's answers to its input. */
export async function judge(film, facts, run) {
  const small = thumbnail(film, facts.side), measured = measure(small, facts.percentiles);
  if (measured.contrast < facts.least_contrast) {
    return told([below("blank", "contrast", measured.contrast, facts.least_contrast)], {}, facts);
  }
  const found = await scores(small, facts, run);
  return told(decide(found, measured, facts), found, facts);
}

/** The network's probabilities for a thumbnail, by name. */
export async function scores(small, facts, run) {
  const side = facts.side / 2, half = shrink(small, side, side);
  const answers = await run(Float32Array.from(half.pixels), side);
  return Object.fromEntries(Object.entries(facts.scores).map(([name, [constant, ...weights]]) =>
    [name, weights.reduce((sum, weight, at) => sum + weight * answers[at], constant)]));
}

/** A film squashed to the gate's size; a large one is first reduced by a whole factor. */
export function thumbnail(film, side) {
  const factor = Math.floor(Math.min(film.width, film.height) / side);
  const [width, height] = [film.width, film.height].map((length) => Math.floor(length / factor));
  return squash(factor > 1 ? wholeAreas(film, width, height, factor, factor) : film, side);
}

/** Contrast, grey range and sharpness of a thumbnail. */
export function measure(small, percentiles) {
  const counts = new Array(256).fill(0);
  for (const level of small.pixels) counts[level]++;
  let sum = 0;
  const shares = counts.map((count) => (sum += count) / small.pixels.length);
  const [low, high] = percentiles.map((share) => shares.findIndex((reached) => reached >= share));
  const spread = deviation(small.pixels);
  return { contrast: contrast(small), range: high - low, sharpness: spread ? deviation(edges(small)) / spread : 0 };
}

/** The Laplacian; beyond an edge the film is mirrored. */
function edges({ width, height, pixels }) {
  const found = new Int16Array(pixels.length), inside = (at, length) => (at < 0 ? 1 : at < length ? at : length - 2);
  for (let y = 0; y < height; y++) {
    const above = inside(y - 1, height) * width, under = inside(y + 1, height) * width;
    for (let x = 0; x < width; x++) {
      const beside = pixels[y * width + inside(x - 1, width)] + pixels[y * width + inside(x + 1, width)];
      found[y * width + x] = pixels[above + x] + pixels[under + x] + beside - 4 * pixels[y * width + x];
    }
  }
  return found;
}

function deviation(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

const from = (reason, measure, value, limit) => ({ reason, measure, value, limit, side: "from" });
const below = (reason, measure, value, limit) => ({ reason, measure, value, limit, side: "below" });

/** The checks that give a reason, as xlite.guards.verdict has them. */
function decide(found, measured, { limits, hardly }) {
  const best = Math.max(found.frontal, found.lateral), isLateral = found.lateral >= limits.lateral;
  if (found.other >= limits.other) return [from("not_chest", "probability", found.other, limits.other)];
  if (found.frontal < hardly && !(best >= limits.lateral)) {
    return [below("not_chest", "probability", best, limits.lateral)];
  }
  // Ages, cuts and mirrors were learned from frontal films alone.
  const asked = isLateral ? ["inverted", "lateral"] : ["inverted", "mirrored", "lateral", "child", "cut"];
  const checks = asked.filter((reason) => found[reason] >= limits[reason])
    .map((reason) => from(reason, "probability", found[reason], limits[reason]));
  if (found.turned >= limits.turned) {
    const turn = QUARTERS.reduce((most, one) => (found[one] > found[most] ? one : most));
    checks.push(from(turn, "probability", found.turned, limits.turned));
  }
  const [least, most] = limits.sharpness, { range, sharpness } = measured;
  if (range < limits.grey_range) checks.push(below("range", "grey range", range, limits.grey_range));
  else if (sharpness < least) checks.push(below("range", "sharpness", sharpness, least));
  else if (sharpness > most) checks.push(from("range", "sharpness", sharpness, most));
  if (!isLateral && found.frontal < limits.frontal) {
    checks.push(below("unlike", "probability", found.frontal, limits.frontal));
  }
  return checks;
}

/** Checks as a verdict, the gravest that a reason leads to, with a sentence each in the order of the reasons. */
function told(checks, found, { reasons }) {
  const order = Object.keys(reasons);
  const sorted = checks.toSorted((one, other) => order.indexOf(one.reason) - order.indexOf(other.reason));
  const verdicts = sorted.map(({ reason }) => reasons[reason].verdict);
  return {
    verdict: ["refuse", "offer", "caution"].find((verdict) => verdicts.includes(verdict)) ?? "pass",
    reasons: sorted.map(({ reason }) => reason),
    sentences: sorted.map(({ reason, side, measure, value, limit }) => reasons[reason][side]
      .replace("{measure}", measure).replace("{value}", short(value)).replace("{limit}", short(limit))),
    scores: found,
    checks: sorted,
  };
}

/** The same guards with the reason `unlike` if a film is so far from those of training. */
export function withDistance(guards, distance, limit, facts) {
  if (distance <= limit || guards.reasons.includes("unlike") || guards.verdict === "refuse") return guards;
  return told([...guards.checks, from("unlike", "distance", distance, limit)], guards.scores, facts);
}

/** Those of the reasons that can be undone. */
export function offers(given, { reasons }) {
  return given.filter((reason) => reasons[reason].verdict === "offer");
}

/** Three digits, as `significant` of xlite.text writes them. */
export function short(value) {
  if (value < 1 && value.toPrecision(3) === "1.00") return ">0.999";
  const [digits, power] = value.toExponential(2).split("e").map(Number);
  if (value && (power < -4 || power > 2)) return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  return String(Number(value.toPrecision(3)));
}

/** The film turned upright and inverted back, as the reasons say. A mirror is never undone. */
export function fixed(film, reasons) {
  let upright = film;
  for (let quarters = QUARTERS.findIndex((one) => reasons.includes(one)) + 1; quarters > 0; quarters--) {
    upright = turned(upright);
  }
  if (!reasons.includes("inverted")) return upright;
  return { ...upright, pixels: upright.pixels.map((level) => 255 - level) };
}

/** A quarter counterclockwise. */
function turned({ width, height, pixels }) {
  const target = new Uint8Array(pixels.length);
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < height; x++) target[y * height + x] = pixels[x * width + width - 1 - y];
  }
  return { width: height, height: width, pixels: target };
}
