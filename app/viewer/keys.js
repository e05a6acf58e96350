// What each key does while the viewer has the focus: the action's name in viewer.js, and words for the list.

export const KEYS = [
  ["+", "zoomIn", "closer"],
  ["-", "zoomOut", "further away"],
  ["0", "fit", "the whole film"],
  ["1", "actual", "one pixel of the screen for one of the film"],
  ["ArrowLeft", "left", "to the left"],
  ["ArrowRight", "right", "to the right"],
  ["ArrowUp", "up", "upwards"],
  ["ArrowDown", "down", "downwards"],
  ["Shift+ArrowUp", "brighter", "brighter (level)"],
  ["Shift+ArrowDown", "darker", "darker (level)"],
  ["Shift+ArrowRight", "softer", "less contrast (wider window)"],
  ["Shift+ArrowLeft", "harder", "more contrast (narrower window)"],
  ["p", "nextPreset", "the next contrast"],
  ["d", "tool", "dragging moves the film, or sets the contrast"],
  ["i", "invert", "black and white exchanged"],
  ["t", "turn", "turned by 90° to the right"],
  ["T", "turnBack", "turned by 90° to the left"],
  ["m", "map", "the map shown or hidden"],
  [".", "denser", "the map more opaque"],
  [",", "thinner", "the map more transparent"],
  ["n", "nextFinding", "the map of the next finding"],
  ["N", "lastFinding", "the map of the finding before"],
  ["c", "nextScale", "other colours"],
  ["s", "side", "film and map side by side"],
  ["b", "boxes", "the boxes shown or hidden"],
  ["f", "large", "the whole screen, and back"],
  ["r", "reset", "zoom, turn and contrast as at first"],
  ["?", "help", "this list"],
];

/** Keys that the page's own buttons have: the next film of a list, and the one before. */
export const OF_THE_PAGE = ["e", "w"];

const SHOWN = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const SAME = { "=": "+", _: "-" };

/** A key as it is written on a keyboard: `Shift ←`. */
export const written = (key) => key.split("+").map((part) => SHOWN[part] ?? part).join(" ").trim() || "+";

/** The action of a key press, if it has one. */
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const arrow = event.key.startsWith("Arrow"), name = SAME[event.key] ?? event.key;
  const pressed = arrow && event.shiftKey ? `Shift+${name}` : name;
  return KEYS.find(([key]) => key === pressed)?.[1];
}

/** Whether an element needs a key itself: letters choose in a list, arrows move a slider, Enter presses. */
export function keepsKey(element, key) {
  if (element.tagName === "SELECT") return true;
  if (element.type === "range") return /^(Arrow|Home|End|Page)/.test(key);
  return element.tagName === "BUTTON" && (key === "Enter" || key === " ");
}
