// What a page says in words, instead of an answer: anything else is a fault of the page itself.

/** A file that cannot be read, or a model that may not answer: its message is a sentence for the user. */
export class Refusal extends Error {}

export const MIN_SIDE = 32; // px, as xlite.pixels has it
export const MAX_PIXELS = 64_000_000;

/** Refuses sizes that no chest film has, before anything of that size is allocated. */
export function checkSize(width, height) {
  const size = `the image is ${width.toLocaleString("en")} x ${height.toLocaleString("en")} pixels`;
  if (Math.min(width, height) < MIN_SIDE) {
    throw new Refusal(`${size}; a chest film needs at least ${MIN_SIDE} on each side`);
  }
  if (width * height > MAX_PIXELS) {
    throw new Refusal(`${size}; the limit is ${MAX_PIXELS / 1e6} million, so export it smaller`);
  }
}
