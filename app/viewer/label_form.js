// The form of the Label page: 14 findings to answer by keyboard or mouse. The page is told only what is to be saved.

import { board, pin } from "./board.js";
import { keyRow } from "./key_row.js";
import { Draft } from "./label_draft.js";
import { LABEL_KEYS, labelAction } from "./label_keys.js";
import { boxRow, findingRow } from "./label_rows.js";

const PATIENCE_MS = 6000;
const OFF = "xlite-label-keys-off";

class Form {
  constructor(root) {
    this.root = root;
    const parts = [...root.querySelectorAll("[data-part]")];
    this.parts = Object.fromEntries(parts.map((part) => [part.dataset.part, part]));
    this.onKey = (event) => this.key(event);
    this.onBox = ({ detail }) => this.drawn(detail);
    this.onHide = () => this.draft?.watch.turn();
    this.parts.keys.replaceChildren(...LABEL_KEYS.map(([key, , words]) => keyRow(key, words)));
    for (const [part, act] of [["save", "enter"], ["undo", "undo"], ["others", "others"], ["draw", "box"]]) {
      this.parts[part].addEventListener("click", () => this.do(act));
    }
    this.parts.on.checked = !localStorage.getItem(OFF);
    this.parts.on.addEventListener("change", ({ target }) => {
      if (target.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "1");
    });
  }

  // What the page gives

  take(given, send) {
    const call = {};
    Object.assign(this, { call, send });
    this.listen(true);
    const isOther = given.film !== this.given?.film || given.phase !== this.given.phase;
    const isAnswer = given.turn !== this.given?.turn;
    this.given = given;
    if (isOther || (isAnswer && !given.error)) {
      if (given.phase === "saved") this.draft?.forget();
      this.draft = new Draft(given);
      this.around = this.boxRows = null;
      this.fill();
    }
    if (isOther || isAnswer) this.settle(isOther);
    this.refresh();
    return () => {
      if (this.call === call) this.listen(false);
    };
  }

  listen(isOn) {
    const act = isOn ? "addEventListener" : "removeEventListener";
    document[act]("keydown", this.onKey, true);
    document[act]("visibilitychange", this.onHide);
    board[act]("box", this.onBox);
    if (!isOn) pin("", [], null);
  }

  /** The rows of another film, the first finding without an answer being the current one. */
  fill() {
    const { given, parts, draft } = this;
    this.rows = Object.fromEntries(given.findings.map((finding) => [
      finding.name, findingRow(finding, given, (name, value) => this.choose(name, value)),
    ]));
    parts.rows.replaceChildren(...Object.values(this.rows).map(({ row }) => row));
    this.current = (draft.open(given.findings)[0] ?? given.findings[0]).name;
  }

  /** The page has answered: with the film or another one, or with what went wrong. */
  settle(isOther) {
    clearTimeout(this.patience);
    const { phase, opinion, error } = this.given, hasOpinion = Object.keys(opinion).length;
    const beside = " Beside each finding stands the model's probability, ↑ above its threshold.";
    const words = `Saved.${hasOpinion ? beside : ""}`;
    // A server that has begun anew draws the page, and knows nothing of what it was sent.
    const isLost = !isOther && (this.isLost || this.isWaiting);
    const waits = isLost ? "The server is back, and nothing is lost. Press Enter to save." : "";
    this.isLost = this.isWaiting = false;
    this.say(error || waits || (phase === "saved" ? words : ""), Boolean(error));
  }

  // What is done

  key(event) {
    const action = this.parts.on.checked && this.draft ? labelAction(event) : undefined;
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    this.do(action);
  }

  do(action) {
    const actions = {
      yes: () => this.answer("yes"),
      no: () => this.answer("no"),
      unsure: () => this.answer("unsure"),
      clear: () => this.draft.set(this.current),
      next: () => this.step(1),
      last: () => this.step(-1),
      others: () => this.others(),
      box: () => this.box(),
      enter: () => this.enter(),
      undo: () => this.tell("undo", "Taking the last answer back …"),
    };
    actions[action]();
    this.refresh();
  }

  choose(name, value) {
    this.current = name;
    if (value) this.draft.set(name, value);
    this.refresh();
  }

  answer(value) {
    const { title } = this.finding;
    this.draft.set(this.current, value);
    this.step(1);
    this.say(`${title}: ${value}. Now ${this.finding.title}.`);
  }

  get finding() {
    return this.given.findings.find(({ name }) => name === this.current);
  }

  titleOf(finding) {
    return this.given.findings.find(({ name }) => name === finding).title;
  }

  step(by) {
    const names = this.given.findings.map(({ name }) => name);
    this.current = names[(names.indexOf(this.current) + by + names.length) % names.length];
    this.say(`${this.finding.title}: ${this.draft.answers[this.current] ?? "no answer yet"}`);
    this.rows[this.current].row.scrollIntoView({ block: "nearest" });
  }

  others() {
    const open = this.draft.open(this.given.findings);
    for (const { name } of open) this.draft.set(name, "no");
    this.say(`No to ${open.length} more findings. Enter saves.`);
  }

  /** Arms the viewer for a box around the current finding; the second time it makes one in the middle. */
  box() {
    if (this.around === this.current) {
      const [width, height] = this.given.frame;
      this.drawn({ x: width / 4, y: height / 4, width: width / 2, height: height / 2 });
      this.refresh();
      this.parts.boxes.lastElementChild.querySelector("input").focus();
      return;
    }
    this.around = this.current;
    this.say(`Drag a box around ${this.finding.title.toLowerCase()} on the film, or press o again to type one.`);
  }

  drawn(box) {
    if (!this.around) return;
    this.draft.add({ finding: this.around, ...box });
    this.around = null;
    this.say(`Box around ${this.titleOf(this.draft.boxes.at(-1).finding)}.`);
    this.refresh();
  }

  enter() {
    const { draft, given } = this, open = draft.open(given.findings);
    if (open.length) {
      this.current = open[0].name;
      const names = open.slice(0, 3).map(({ title }) => title).join(", ");
      const more = open.length > 3 ? " …" : "", words = `${open.length} without an answer (${names}${more})`;
      this.say(`Not saved: ${words}. Press a to say no to all of them.`, true);
    } else if (given.phase !== "saved") this.tell("answer", "Saving …", draft.message);
    else if (draft.isAsGiven) this.tell("next", "The next film …");
    else this.tell("change", "Saving the changed mind …", draft.message);
  }

  /** Tells the page, once until it answers. What is not saved stays in the browser. */
  tell(act, words, message = {}) {
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.say(words);
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      this.isWaiting = false;
      this.isLost = true;
      this.say("The server has not answered. What you said stays here: press Enter to try again.", true);
    }, PATIENCE_MS);
    this.send({ act, film: this.given.film, settles: this.given.phase === "settle", ...message });
  }

  // How it is shown

  refresh() {
    const { given, draft, parts, rows } = this, isSaved = given.phase === "saved";
    for (const [name, { row, radios }] of Object.entries(rows)) {
      for (const [value, radio] of Object.entries(radios)) radio.checked = draft.answers[name] === value;
      row.classList.toggle("current", name === this.current);
      row.classList.toggle("disputed", given.disputed.includes(name));
    }
    this.refreshBoxes();
    const boxes = draft.boxes.map((box) => ({ ...box, title: this.titleOf(box.finding) }));
    pin(given.film, boxes, this.around && this.titleOf(this.around));
    const left = draft.open(given.findings).length;
    parts.save.textContent = !isSaved ? "Save" : draft.isAsGiven ? "Next film" : "Save as a changed mind";
    parts.others.disabled = !left;
    parts.count.textContent = isSaved ? "" : left ? `${left} without an answer` : "All answered";
    parts.draw.setAttribute("aria-pressed", String(Boolean(this.around)));
  }

  /** The rows of the boxes; those that are there stay, and so does the focus. */
  refreshBoxes() {
    const { given, draft, parts } = this, around = draft.boxes.map(({ finding }) => finding).join();
    if (around !== this.boxesAround || !this.boxRows) {
      this.boxRows = draft.boxes.map(({ finding }, at) => boxRow(this.titleOf(finding), given.frame, (other) => {
        draft.boxes.splice(at, 1, ...(other ? [other] : []));
        draft.keep();
        this.refresh();
      }));
      this.boxesAround = around;
      parts.boxes.replaceChildren(...this.boxRows.map(({ row }) => row));
    }
    this.boxRows.forEach(({ show }, at) => show(draft.boxes[at]));
  }

  say(words, isFault = false) {
    this.parts.said.textContent = words;
    this.parts.said.classList.toggle("fault", isFault);
  }
}

const forms = new WeakMap();

/** Called by Streamlit whenever the page was drawn, with the same parent for as long as the form is there. */
export default function show({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".labels");
  if (!forms.has(root)) forms.set(root, new Form(root));
  return forms.get(root).take(data, (message) => setTriggerValue("sent", message));
}
