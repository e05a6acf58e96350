// Films that the page has sent, by their ids. Each comes once, in a message of its own, and viewers wait for it.

const KEY = Symbol.for("xlite.films"); // this module is part of two scripts, and its films are theirs in common
const films = (globalThis[KEY] ??= new Map());

function entry(id) {
  if (!films.has(id)) {
    let bring;
    const bytes = new Promise((done) => (bring = done));
    films.set(id, { bytes, bring, holders: 0 });
  }
  return films.get(id);
}

/** The encoded film of that id, once it has come: a promise of a `Uint8Array`. */
export const filmOf = (id) => entry(id).bytes;

/** Holds a film for the viewers; returns what lets go of it. */
export function hold(id, bytes) {
  const one = entry(id);
  one.holders += 1;
  one.bring(bytes);
  return () => {
    one.holders -= 1;
    if (!one.holders && films.get(id) === one) films.delete(id);
  };
}
