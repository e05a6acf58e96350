// What brings a film to the viewers: it shows nothing, and lets go of the film when the page no longer sends it.

import { hold } from "./films.js";
import { unpackFilm } from "./payload.js";

const holding = new WeakMap();

/** Called by Streamlit whenever the page was drawn, with the same parent for as long as the film is there. */
export default function show({ data, parentElement }) {
  const place = parentElement.querySelector(".film"), call = {};
  if (holding.get(place)?.data !== data) {
    const { id, film } = unpackFilm(data), before = holding.get(place);
    holding.set(place, { data, drop: hold(id, film) });
    before?.drop();
  }
  holding.get(place).call = call;
  return () => {
    if (holding.get(place)?.call !== call) return;
    holding.get(place).drop();
    holding.delete(place);
  };
}
