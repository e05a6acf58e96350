// The keys of the Label page's form. The viewer's, Streamlit's r and c, and these have none in common, so these
// work wherever the focus is, but in fields that take text.

export const LABEL_KEYS = [
  ["y", "yes", "yes, and on to the next finding"],
  ["x", "no", "no, and on to the next finding"],
  ["u", "unsure", "unsure, and on to the next finding"],
  ["a", "others", "no to all findings without an answer"],
  ["j", "next", "the next finding"],
  ["k", "last", "the finding before"],
  ["Backspace", "clear", "no answer to the finding"],
  ["o", "box", "drag a box around the finding; again: a box by numbers"],
  ["Enter", "enter", "save; once saved, the next film"],
  ["z", "undo", "take the last answer back"],
];

const TEXTLESS = ["radio", "checkbox", "range", "button"];

/** Whether an element needs a key itself: fields take letters, Enter presses buttons and follows links. */
function isNeeded(element, key) {
  if (element.isContentEditable || /^(TEXTAREA|SELECT)$/.test(element.tagName)) return true;
  if (element.tagName === "INPUT") return !TEXTLESS.includes(element.type);
  return key === "Enter" && Boolean(element.closest?.("button, a, summary, [role=button], [role=tab]"));
}

/** The form's action of a key press, if it has one; a key that is held down answers once. */
export function labelAction(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return undefined;
  if (isNeeded(event.composedPath()[0], event.key)) return undefined;
  return LABEL_KEYS.find(([key]) => key === event.key)?.[1];
}
