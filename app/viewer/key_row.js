// A row of a table of keys: what to press, and what it does.

export function keyRow(key, words) {
  const [row, name, says, kbd] = ["tr", "th", "td", "kbd"].map((tag) => document.createElement(tag));
  name.scope = "row";
  kbd.textContent = key;
  says.textContent = words;
  name.append(kbd);
  row.append(name, says);
  return row;
}
