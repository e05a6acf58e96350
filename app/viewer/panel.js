// The controls around a film: their choices, names and states, and the words below.

import { keyRow } from "./key_row.js";
import { KEYS, written } from "./keys.js";

const STOPS = [0, 32, 64, 96, 128, 160, 192, 224, 255]; // of the colour bar

/** A list's choices; one that has them already stays open. */
function options(select, names) {
  const has = JSON.stringify(names);
  if (select.dataset.has === has) return;
  select.dataset.has = has;
  select.replaceChildren(...names.map(([value, text]) => new Option(text, value)));
}

/** The elements of a viewer: `parts` by their data-part, and what draws on them. */
export class Panel {
  constructor(root) {
    this.root = root;
    const parts = [...root.querySelectorAll("[data-part]")];
    this.parts = Object.fromEntries(parts.map((part) => [part.dataset.part, part]));
    this.stage = root.querySelector(".stage");
    this.canvases = [...this.stage.querySelectorAll("canvas")];
    this.parts.keys.replaceChildren(...KEYS.map(([key, , words]) => keyRow(written(key), words)));
  }

  button(action) {
    return this.root.querySelector(`[data-do=${action}]`);
  }

  /** What the page gave: the choices of all lists, and which controls there are. */
  fill(given) {
    const { parts, root } = this, titles = (list) => list.map(({ title }) => [title, title]);
    root.setAttribute("aria-label", `Film viewer: ${given.name}`);
    this.stage.setAttribute("aria-label", `${given.name}. Press ? for the keys.`);
    options(parts.preset, [...titles(given.presets), ["", "by hand"]]);
    options(parts.finding, given.maps.map(({ finding, title }) => [finding, title]));
    options(parts.scale, titles(given.scales));
    parts.maps.hidden = !given.maps.length;
    parts.findings.hidden = !given.choose;
    this.button("boxes").hidden = !given.boxes.length;
  }

  /** Controls and names say what the viewer shows. */
  label({ given, map, marks, isPainted, inverted, toolNow, preset, scale, opacity, finding, view }) {
    const { parts, canvases, stage } = this, hasContrast = toolNow === "contrast";
    const pressed = { ...marks, invert: inverted, tool: hasContrast };
    for (const [name, isOn] of Object.entries(pressed)) this.button(name).setAttribute("aria-pressed", String(isOn));
    this.button("help").setAttribute("aria-expanded", String(!parts.help.hidden));
    parts.preset.value = preset;
    parts.scale.value = scale;
    parts.opacity.value = Math.round(100 * opacity);
    parts.opacity.setAttribute("aria-valuetext", `${parts.opacity.value} %`);
    if (map) parts.finding.value = finding;
    parts.note.textContent = map?.note ?? "";
    parts.note.hidden = !map?.note;
    const withMap = `${given.name}${isPainted ? ` with the map of ${map.title}` : ""}`;
    canvases[0].setAttribute("aria-label", marks.side ? given.name : withMap);
    canvases[1].setAttribute("aria-label", withMap);
    // While the whole film is seen one finger scrolls the page.
    stage.style.touchAction = view.fits && toolNow === "drag" ? "pan-y" : "none";
    stage.classList.toggle("contrast", hasContrast);
  }

  /** The colour bar of a scale {title, table}. */
  legend({ title, table }, isShown) {
    const { legend, colours } = this.parts, stops = STOPS.map((at) => `rgb(${table.subarray(3 * at, 3 * at + 3)})`);
    legend.hidden = !isShown;
    colours.style.background = `linear-gradient(to right, ${stops})`;
    colours.setAttribute("aria-label", `Colours of the map, ${title}: left nothing, right its peak`);
  }

  foot(where, how) {
    this.parts.where.textContent = where;
    this.parts.how.textContent = how;
  }
}
