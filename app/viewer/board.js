// What the Label page's form and the viewer beside it tell each other: boxes around findings, in film px.

const BOARD = Symbol.for("xlite.board"); // this module is part of two scripts, and the board is theirs in common

/**
 * `film` is the name of the film that the boxes are of; `boxes` {title, x, y, width, height}; `around` the title
 * of the finding around which the next drag draws a box, or null. A "change" event says that they are others, and
 * a "box" event brings, as its detail, a box that was drawn.
 */
export const board = (globalThis[BOARD] ??= Object.assign(new EventTarget(), { film: "", boxes: [], around: null }));

/** What the form says; the viewer hears it. */
export function pin(film, boxes, around) {
  Object.assign(board, { film, boxes, around });
  board.dispatchEvent(new Event("change"));
}
