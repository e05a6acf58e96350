// The rows of the Label page's form: a finding, its three answers, what others say, and its boxes.

const ANSWERS = [["yes", "Yes"], ["no", "No"], ["unsure", "Unsure"]];
const SIDES = [["x", "left"], ["y", "top"], ["width", "width"], ["height", "height"]];

function make(name, kind, text) {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A finding with its answers, as {row, radios}; `others` are the two readers, if they dispute the finding. */
export function findingRow({ name, title }, { others, disputed, opinion }, choose) {
  const row = make("div", "row"), choices = make("span", "choices"), radios = {};
  row.setAttribute("role", "radiogroup");
  row.setAttribute("aria-label", title);
  row.dataset.finding = name;
  for (const [value, text] of ANSWERS) {
    const label = make("label", value), radio = make("input");
    Object.assign(radio, { type: "radio", name: `answer-${name}`, value });
    radio.addEventListener("change", () => choose(name, value));
    radio.addEventListener("focus", () => choose(name));
    label.append(radio, make("span", "", text));
    choices.append(label);
    radios[value] = radio;
  }
  row.append(make("span", "title", title));
  const said = opinion[name];
  if (said) {
    const model = make("span", said.above ? "opinion above" : "opinion");
    const mark = make("span", "", `${said.text}${said.above ? " ↑" : ""}`);
    mark.setAttribute("aria-hidden", "true");
    model.append(make("span", "unseen", `Model: ${said.text}${said.above ? ", above its threshold" : ""}`), mark);
    row.append(model);
  }
  row.append(choices);
  if (disputed.includes(name)) {
    row.append(make("span", "other", others.map(({ reader, answers }) => `${reader}: ${answers[name]}`).join(" · ")));
  }
  return { row, radios };
}

/** A box by its numbers in film px, as {row, show}; `change(box)` is called with what it becomes, or null. */
export function boxRow(title, [width, height], change) {
  const row = make("div", "box"), remove = make("button", "", "Remove"), fields = {};
  let now;
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", `Box around ${title}`);
  row.append(make("span", "title", title));
  for (const [side, words] of SIDES) {
    const label = make("label", "", `${words} `), field = make("input");
    field.type = "number";
    field.addEventListener("change", () => {
      const px = Number(field.value) || 0;
      change({ ...now, [side]: Math.min(Math.max(px, Number(field.min)), Number(field.max)) });
    });
    fields[side] = field;
    label.append(field);
    row.append(label);
  }
  remove.type = "button";
  remove.setAttribute("aria-label", `Remove the box around ${title}`);
  remove.addEventListener("click", () => change(null));
  row.append(remove);
  const show = (box) => {
    now = box;
    const ends = {
      x: [0, width - box.width], y: [0, height - box.height],
      width: [1, width - box.x], height: [1, height - box.y],
    };
    for (const [side, [least, most]] of Object.entries(ends)) {
      Object.assign(fields[side], { min: least, max: Math.max(least, Math.floor(most)), value: Math.round(box[side]) });
    }
  };
  return { row, show };
}
