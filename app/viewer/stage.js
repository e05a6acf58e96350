// Draws a film, its map and its marks into a pane's canvas. Nothing here changes what is shown.

import { boxOnScreen, cellAt, cellBox, toScreen } from "./geometry.js";

const SMOOTH_BELOW = 4; // screen px a film px; beyond it each pixel of the film is to be seen
const CROSS = 9;
const MARKS = { box: "#ffd24a", cell: "#ffffff", cursor: "#7fe3dc", shade: "rgba(0, 0, 0, 0.75)" };

/** Puts film px where the view has them, but for shifts of less than a pixel of the screen, which only blur. */
function place(context, view, pane, dots) {
  const [x0, y0] = toScreen(view, pane, 0, 0), [x1, y1] = toScreen(view, pane, 1, 0);
  const right = (x1 - x0) * dots, down = (y1 - y0) * dots;
  context.setTransform(right, down, -down, right, Math.round(x0 * dots), Math.round(y0 * dots));
}

/** A box's outline, on whole pixels so that it is sharp. */
function frame(context, { left, top, width, height }, colour, line) {
  const [x, y] = [left, top].map((edge) => Math.round(edge) + (line % 2) / 2);
  for (const [thickness, stroke] of [[line + 2, MARKS.shade], [line, colour]]) {
    context.lineWidth = thickness;
    context.strokeStyle = stroke;
    context.strokeRect(x, y, Math.round(width), Math.round(height));
  }
}

function label(context, pane, { left, top, height }, text) {
  context.font = "600 12px sans-serif";
  const width = context.measureText(text).width + 8;
  const x = Math.max(0, Math.min(left, pane.width - width)), y = top >= 18 ? top - 18 : top + height;
  context.fillStyle = MARKS.shade;
  context.fillRect(x, y, width, 18);
  context.fillStyle = MARKS.box;
  context.fillText(text, x + 4, y + 13);
}

function cross(context, [left, top]) {
  for (const [thickness, stroke] of [[3, MARKS.shade], [1, MARKS.cursor]]) {
    context.lineWidth = thickness;
    context.strokeStyle = stroke;
    context.beginPath();
    for (const [x, y] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(left + 3 * x, top + 3 * y);
      context.lineTo(left + CROSS * x, top + CROSS * y);
    }
    context.stroke();
  }
}

/** The cell that is outlined: that under the cursor, else the one in the film's lower left corner. */
function cellShown(film, map, cursor) {
  return (cursor && cellAt(film, map, ...cursor)?.box) ?? cellBox(film, map, map.rows - 1, 0);
}

/**
 * Draws one pane: {film, picture, view, painted?, opacity, map?, boxes, cursor, crossed} on a canvas of so
 * many `dots` a CSS px. `painted` is the picture of the map, `map` its grid; a bare film has neither.
 */
export function draw(canvas, pane, dots, shown) {
  const context = canvas.getContext("2d"), { film, view } = shown;
  canvas.width = Math.round(pane.width * dots);
  canvas.height = Math.round(pane.height * dots);
  place(context, view, pane, dots);
  context.imageSmoothingEnabled = view.scale * dots < SMOOTH_BELOW;
  context.imageSmoothingQuality = "high";
  context.drawImage(shown.picture, 0, 0);
  if (shown.painted) {
    context.imageSmoothingEnabled = true;
    context.globalAlpha = shown.opacity;
    context.drawImage(shown.painted, 0, 0, film.width, film.height);
    context.globalAlpha = 1;
  }
  context.setTransform(dots, 0, 0, dots, 0, 0);
  const outlined = shown.painted && cellShown(film, shown.map, shown.cursor);
  if (outlined) frame(context, boxOnScreen(view, pane, outlined), MARKS.cell, 1);
  for (const box of shown.boxes) {
    const there = boxOnScreen(view, pane, box);
    frame(context, there, MARKS.box, 2);
    label(context, pane, there, box.title);
  }
  if (shown.cursor && shown.crossed) cross(context, toScreen(view, pane, ...shown.cursor));
}
