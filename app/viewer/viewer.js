// One viewer: what is shown, what a control or key does to it, and what the page is told: the finding alone.
// A form beside it may have it draw boxes, by the board.

import { board } from "./board.js";
import { filmOf } from "./films.js";
import { boxBetween, cellAt, dragged, fitted, resized, scaled, toFilm, turnedBy } from "./geometry.js";
import { actionOf, keepsKey, OF_THE_PAGE } from "./keys.js";
import { Panel } from "./panel.js";
import { decodeFilm, unpack } from "./payload.js";
import { Pictures } from "./pictures.js";
import { windowed } from "./pixels.js";
import { follow } from "./pointers.js";
import { draw } from "./stage.js";

const CLOSER = 1.25, STEP = 40, GREYS = 8, DRAG_GREYS = 0.5, FINEST = 2, WIDEST = 510;
const SETTLED_MS = 300, HINT_MS = 1600, SMALLEST_BOX = 2;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const after = (list, at, by) => list[(at + by + list.length) % list.length];

class Viewer {
  constructor(root) {
    this.panel = new Panel(root);
    this.pictures = new Pictures();
    const { parts, stage, canvases } = this.panel;
    Object.assign(this, { root, parts, stage, canvases });
    this.marks = { boxes: true, map: true, side: false };
    this.toolNow = "drag";
    this.awaited = []; // findings that the page was told and has not yet answered
    this.listen();
    this.onBoard = () => this.heed();
    this.sizes = new ResizeObserver(() => this.resize());
  }

  // What the page gives

  /** Takes the page's data, the same again or other; returns what ends the viewer if none was taken since. */
  take(payload, report) {
    const call = {};
    this.call = call;
    this.report = report;
    this.sizes.observe(this.stage);
    board.addEventListener("change", this.onBoard);
    if (payload !== this.payload) {
      this.payload = payload;
      this.show(unpack(payload));
    }
    return () => {
      if (this.call !== call) return;
      this.sizes.disconnect();
      board.removeEventListener("change", this.onBoard);
    };
  }

  async show(given) {
    const isNew = given.id !== this.given?.id;
    this.adopt(given, isNew);
    this.given = given;
    this.scale ??= given.scales[0].title;
    this.opacity ??= given.opacity;
    this.panel.fill(given);
    if (isNew) {
      this.film = null; // nothing of the film before stays below the name of this one
      for (const canvas of this.canvases) canvas.width = 0;
      const greys = await decodeFilm(await filmOf(given.id), given.width, given.height);
      if (this.given.id !== given.id) return; // another film came meanwhile
      this.greys = greys;
      this.film = { id: given.id, width: given.width, height: given.height };
      this.stage.style.setProperty("--aspect", given.width / given.height);
      this.cursor = null;
      this.size();
      this.do("reset");
    }
    this.heed();
  }

  /** What a form has on the board: boxes, and whether the next drag draws one. */
  heed() {
    if (board.around && board.film === this.given?.name) this.toolNow = "draw";
    else if (this.toolNow === "draw") this.toolNow = "drag";
    this.from = null;
    this.refresh();
  }

  /** The finding of the page, unless the page only says again what it said, or what it was told from here. */
  adopt(given, isNew) {
    const at = this.awaited.indexOf(given.finding);
    if (isNew || (at < 0 && given.finding !== this.given.finding)) {
      clearTimeout(this.settling);
      this.awaited = [];
      this.finding = given.finding;
    } else if (at >= 0) {
      this.awaited.splice(0, at + 1);
    }
    if (!given.maps.some(({ finding }) => finding === this.finding)) this.finding = given.maps[0]?.finding;
  }

  /** The map that is chosen, if there is one. */
  get map() {
    return this.given.maps.find(({ finding }) => finding === this.finding);
  }

  /** Whether a map lies over the film. */
  get isPainted() {
    return Boolean(this.map?.painted && this.marks.map);
  }

  /** The finding is shown at once; the page is told once nothing was chosen for a while. */
  choose(finding) {
    this.finding = finding;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      if (finding === (this.awaited.at(-1) ?? this.given.finding)) return; // the page knows
      this.awaited.push(finding);
      this.report({ name: finding, at: Date.now() }); // a state that stays the same is not told
    }, SETTLED_MS);
    return `Map of ${this.map.title}`;
  }

  // What is done to it: each returns what a screen reader is told

  zoom(factor, left = this.pane.width / 2, top = this.pane.height / 2) {
    const { view, film, pane } = this;
    this.view = scaled(view, film, pane, view.scale * factor, left, top, 1 / devicePixelRatio);
    return `Zoom ${this.zoomWords()}`;
  }

  drag(right, down) {
    this.view = dragged(this.view, this.film, this.pane, right, down);
  }

  /** By a key, which has no pointer: the cursor is in the middle. */
  move(right, down) {
    this.drag(right, down);
    Object.assign(this, { cursor: [this.view.x, this.view.y], byKey: true });
    return this.whereWords();
  }

  contrast(centre, width) {
    this.centre = clamp(centre, 0, 255);
    this.width = clamp(width, FINEST, WIDEST);
    this.preset = "";
    return this.contrastWords();
  }

  /** To the right a wider window, down a higher level: darker. */
  dragContrast(right, down) {
    this.contrast(this.centre + DRAG_GREYS * down, this.width + DRAG_GREYS * right);
  }

  /** From here on the pointer draws a box. */
  draw() {
    this.from ??= this.cursor;
  }

  /** The box that is drawn is the form's, unless it is but a click. */
  drawn() {
    const box = this.from && boxBetween(this.film, this.from, this.cursor ?? this.from);
    this.from = null;
    if (box && Math.min(box.width, box.height) >= SMALLEST_BOX) {
      board.dispatchEvent(new CustomEvent("box", { detail: box }));
    }
  }

  /** The page's boxes, the form's, and the one that is being drawn. */
  get boxes() {
    if (!this.marks.boxes) return [];
    const { film, from, cursor, given } = this, mine = board.film === given.name ? board.boxes : [];
    const now = from && cursor ? [{ title: board.around ?? "", ...boxBetween(film, from, cursor) }] : [];
    return [...given.boxes, ...mine, ...now];
  }

  choosePreset(title) {
    const preset = this.given.presets.find((one) => one.title === title);
    if (!preset) return "";
    this.contrast(preset.centre, preset.width);
    this.preset = title;
    return `${title}: ${this.contrastWords()}`;
  }

  turnBy(quarters) {
    this.view = turnedBy(this.view, this.film, this.pane, quarters);
    return `Turned by ${90 * this.view.turn} degrees`;
  }

  flip(mark, words) {
    this.marks[mark] = !this.marks[mark];
    this.size();
    this.view = resized(this.view, this.film, this.pane);
    return `${words} ${this.marks[mark] ? "on" : "off"}`;
  }

  thicken(by) {
    this.opacity = clamp(Math.round(20 * (this.opacity + by)) / 20, 0, 1);
    return `Opacity ${Math.round(100 * this.opacity)} %`;
  }

  nextOf(list, name, now, by = 1) {
    return after(list, list.findIndex((one) => one[name] === now), by)?.[name];
  }

  help() {
    const { help } = this.parts;
    help.hidden = !help.hidden;
    (help.hidden ? this.stage : help.querySelector("button")).focus({ preventScroll: true });
    return "";
  }

  large() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen();
    return "";
  }

  reset() {
    Object.assign(this, { inverted: false, view: fitted(this.film, this.pane, 0) });
    this.choosePreset(this.given.presets[0].title);
    return "Zoom, turn and contrast as at first";
  }

  do(action) {
    const { given, pane } = this, maps = given.maps;
    const actions = {
      zoomIn: () => this.zoom(CLOSER),
      zoomOut: () => this.zoom(1 / CLOSER),
      fit: () => ((this.view = fitted(this.film, pane, this.view.turn)), "The whole film"),
      actual: () => this.zoom(1 / devicePixelRatio / this.view.scale),
      left: () => this.move(STEP, 0),
      right: () => this.move(-STEP, 0),
      up: () => this.move(0, STEP),
      down: () => this.move(0, -STEP),
      brighter: () => this.contrast(this.centre - GREYS, this.width),
      darker: () => this.contrast(this.centre + GREYS, this.width),
      softer: () => this.contrast(this.centre, this.width + 2 * GREYS),
      harder: () => this.contrast(this.centre, this.width - 2 * GREYS),
      nextPreset: () => this.choosePreset(this.nextOf(given.presets, "title", this.preset)),
      tool: () => ((this.toolNow = this.toolNow === "drag" ? "contrast" : "drag"),
        this.toolNow === "drag" ? "Dragging moves the film" : "Dragging sets the contrast"),
      invert: () => ((this.inverted = !this.inverted), this.inverted ? "Inverted" : "Not inverted"),
      turn: () => this.turnBy(1),
      turnBack: () => this.turnBy(-1),
      map: () => this.flip("map", "Map"),
      denser: () => this.thicken(0.05),
      thinner: () => this.thicken(-0.05),
      nextFinding: () => (maps.length > 1 ? this.choose(this.nextOf(maps, "finding", this.finding)) : ""),
      lastFinding: () => (maps.length > 1 ? this.choose(this.nextOf(maps, "finding", this.finding, -1)) : ""),
      nextScale: () => ((this.scale = this.nextOf(given.scales, "title", this.scale)), this.scale),
      side: () => (maps.length ? this.flip("side", "Side by side") : ""),
      boxes: () => this.flip("boxes", "Boxes"),
      large: () => this.large(),
      reset: () => this.reset(),
      help: () => this.help(),
    };
    const words = actions[action]();
    this.refresh();
    return words;
  }

  // What it hears

  listen() {
    const { root, parts } = this;
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button && this.film) this.say(this.do(button.dataset.do));
    });
    const chosen = (part, act) => parts[part].addEventListener("input", ({ target }) => {
      this.say(act(target.value));
      this.refresh();
    });
    chosen("preset", (title) => this.choosePreset(title));
    chosen("finding", (finding) => this.choose(finding));
    chosen("scale", (title) => (this.scale = title));
    chosen("opacity", (share) => ((this.opacity = share / 100), "")); // a slider says its value itself
    root.addEventListener("keydown", (event) => this.key(event));
    const act = (name) => (...px) => {
      if (!this.film) return;
      this[name](...px);
      this.refresh();
    };
    follow(this.stage, (event) => this.placeOf(event), () => this.toolNow, (event) => this.mayZoom(event), {
      drag: act("drag"), contrast: act("dragContrast"), zoom: act("zoom"), draw: act("draw"), drawn: act("drawn"),
      hover: act("hover"), leave: act("leave"),
    });
  }

  key(event) {
    const isCommand = event.ctrlKey || event.metaKey || event.altKey;
    if (isCommand || event.key === "Tab") return;
    if (OF_THE_PAGE.includes(event.key) && !keepsKey(event.target, event.key)) return;
    event.stopPropagation(); // the page has other keys, such as r to run it again
    if (event.key === "Escape" && !this.parts.help.hidden) this.say(this.do("help"));
    const action = keepsKey(event.target, event.key) ? undefined : actionOf(event);
    if (!action || !this.film) return;
    event.preventDefault();
    this.say(this.do(action));
  }

  mayZoom(event) {
    if (!this.film) return false;
    if (event.ctrlKey || this.root.matches(":focus-within")) return true;
    this.parts.hint.textContent = "Click the film, then the wheel zooms";
    clearTimeout(this.hinting);
    this.hinting = setTimeout(() => (this.parts.hint.textContent = ""), HINT_MS);
    return false;
  }

  placeOf({ clientX, clientY }) {
    const boxes = this.canvases.filter((one) => !one.hidden).map((one) => one.getBoundingClientRect());
    const within = (box) => clientX < box.right && clientY < box.bottom;
    const { left, top } = boxes.find(within) ?? boxes.at(-1);
    return { x: clientX - left, y: clientY - top };
  }

  hover({ x, y }) {
    Object.assign(this, { cursor: toFilm(this.view, this.pane, x, y), byKey: false });
  }

  leave() {
    this.cursor = null;
  }

  say(words) {
    this.parts.said.textContent = words;
  }

  // How it is shown

  size() {
    this.stage.classList.toggle("two", this.marks.side && Boolean(this.given.maps.length));
    this.canvases[1].hidden = !this.stage.classList.contains("two");
    const { width, height } = this.canvases[0].getBoundingClientRect();
    this.pane = { width: Math.max(width, 1), height: Math.max(height, 1) };
  }

  resize() {
    if (!this.film) return;
    this.size();
    this.view = resized(this.view, this.film, this.pane);
    this.refresh();
  }

  /** Draws before the browser next does, however often it was asked. */
  refresh() {
    if (!this.film) return;
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      if (this.film) this.paint();
    });
  }

  paint() {
    const { film, given, panel, map, view, cursor, opacity } = this;
    const table = windowed(this.centre, this.width, this.inverted);
    const picture = this.pictures.film(this.greys, film, table);
    const bare = { film, picture, view, boxes: this.boxes, cursor, crossed: this.marks.side || this.byKey };
    const scale = given.scales.find(({ title }) => title === this.scale);
    const painted = this.isPainted && this.pictures.map(map, film, scale.table);
    const withMap = painted ? { ...bare, painted, opacity, map } : bare;
    const isBoth = !this.canvases[1].hidden;
    draw(this.canvases[0], this.pane, devicePixelRatio, isBoth ? bare : withMap);
    if (isBoth) draw(this.canvases[1], this.pane, devicePixelRatio, withMap);
    panel.label(this);
    panel.legend(scale, this.isPainted);
    panel.foot(this.whereWords(), `${this.zoomWords()} · ${this.contrastWords()}`);
  }

  zoomWords() {
    return `${Math.round(100 * this.view.scale * devicePixelRatio)} %`;
  }

  contrastWords() {
    return `level ${Math.round(this.centre)}, window ${Math.round(this.width)}`;
  }

  /** The film's size, and that of the whole film if the browser has a smaller one. */
  sizeWords() {
    const { width, height, whole } = this.given, size = `${width} × ${height} px`;
    return whole[0] === width && whole[1] === height ? size : `${size}, scaled down from ${whole[0]} × ${whole[1]}`;
  }

  /** The pixel under the cursor, its grey in the film and what the map says there. */
  whereWords() {
    const [x, y] = (this.cursor ?? [-1, -1]).map(Math.floor), { film, map } = this;
    const isBare = map && !map.painted ? " · map not painted" : "";
    if (x < 0 || y < 0 || x >= film.width || y >= film.height) return this.sizeWords() + isBare;
    const words = `x ${x}, y ${y} · grey ${this.greys[y * film.width + x]}`;
    if (!this.isPainted) return words + isBare;
    const { row, column } = cellAt(film, map, x, y);
    const share = Math.round(map.grid[row * map.columns + column] / 2.55);
    return `${words} · map ${share} % of its peak, cell ${row + 1}, ${column + 1}`;
  }
}

const viewers = new WeakMap();

/** Called by Streamlit whenever the page was drawn, with the same parent for as long as the viewer is there. */
export default function show({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".viewer");
  if (!viewers.has(root)) viewers.set(root, new Viewer(root));
  return viewers.get(root).take(data, (finding) => setStateValue("finding", finding));
}
