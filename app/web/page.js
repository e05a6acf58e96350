// The page: a film in, probabilities and maps out. Nothing here sends anything.

import { open } from "./engine.js";
import { Refusal } from "./errors.js";
import { readFilm } from "./film.js";
import { fixed, offers } from "./guards.js";
import { forScreen } from "./preprocess.js";
import { coarseMap, drawCell, mapFault, overlay } from "./reading.js";
import { percent, worth } from "./worth.js";

const SCREEN_SIDE = 1024;
const $ = (id) => document.getElementById(id);
let model = null;
let shown = null; // the film on the screen, its answer, its name, and whether a guard fired
let latest = 0; // films that were asked for: only the last is shown

function say(text, isError = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", isError);
}

function sentence(error) {
  if (!(error instanceof Refusal)) throw error;
  return error.message[0].toUpperCase() + error.message.slice(1) + ".";
}

async function begin() {
  try {
    model = await open(document.body.dataset.model);
  } catch (error) {
    say("The model cannot be used.", true);
    return say(sentence(error), true);
  }
  $("about").textContent = model.facts.about;
  for (const [kind, { title }] of Object.entries(model.facts.maps)) $("kind").add(new Option(title, kind));
  $("opacity").value = 100 * model.facts.opacity;
  $("worth-header").replaceChildren(...["Finding", "Probability", ...model.facts.worth.header].map((text) =>
    Object.assign(document.createElement("th"), { textContent: text, scope: "col" })));
  $("worth-note").textContent = model.facts.worth.note;
  $("file").disabled = false;
  say("Ready: choose a film, or drop one on this page.");
}

async function read(file) {
  if (!model || !file) return;
  await work(file.name, async () => ({ film: await readFilm(file) }));
}

/** Reads what `open` gives: a film, and if it was turned or inverted, the one that came and its guards. */
async function work(name, open) {
  const turn = ++latest;
  $("reading").hidden = $("guards").hidden = true;
  say(`Reading ${name} …`);
  await new Promise((done) => setTimeout(done, 30)); // lets the browser draw the line above
  try {
    const started = performance.now(), { film, came } = await open(), judged = await model.judge(film);
    const isRefused = judged.verdict === "refuse", answer = isRefused ? null : await model.run(film);
    const guards = answer ? model.beside(judged, answer) : judged;
    if (turn !== latest) return;
    showGuards(name, film, guards, came);
    shown = answer && { film: forScreen(film, SCREEN_SIDE), answer, name, isVoid: guards.verdict !== "pass" };
    if (shown) show();
    const seconds = ((performance.now() - started) / 1000).toFixed(2);
    say(`${name} was ${isRefused ? "looked at" : "read"} in ${seconds} s. It has not left this computer.`);
  } catch (error) {
    if (turn === latest) say(`${name}: ${sentence(error)}`, true);
  }
}

/** What the guards say of a film and of the one that `came` before it was turned or inverted. */
function showGuards(name, film, { verdict, reasons, sentences }, came) {
  const titles = { refuse: "Refused: it is not read, and there are no probabilities", offer: "Read as it came",
    caution: "Read with caution", pass: "" };
  const mends = (given) => model.facts.guards.mends[offers(given, model.facts.guards).join(";")];
  $("guards-title").textContent = came && verdict !== "refuse" ? mends(came.guards.reasons).done : titles[verdict];
  $("guards-said").replaceChildren(...[...(came ? came.guards.sentences.map((one) => `As it came: ${one}`) : []),
    ...sentences].map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  $("guards").className = verdict;
  $("guards").hidden = verdict === "pass" && !came;
  $("fix").hidden = verdict !== "offer" || Boolean(came);
  if (verdict === "offer") $("fix").textContent = mends(reasons).does;
  const guards = { reasons, sentences };
  $("fix").onclick = () => work(name, () => ({ film: fixed(film, reasons), came: { film, guards } }));
  $("unfix").hidden = !came;
  $("unfix").onclick = () => work(name, () => ({ film: came.film }));
}

function show() {
  const { findings } = model.facts, { probabilities } = shown.answer;
  const order = [...findings.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
  $("finding").replaceChildren(...order.map((one) =>
    new Option(`${findings[one].title}, ${percent(probabilities[one])}`, one)));
  $("rows").replaceChildren(...order.map(row));
  $("worth-rows").replaceChildren(...order.map(worthRow));
  $("withheld").textContent = model.facts.withheld;
  $("reading").hidden = false;
  paint();
}

/** What is said of the finding at a place in the list: its texts of a `part`, as worth.js has them. */
function said(one, part) {
  const { answer, isVoid } = shown;
  return worth(model.facts.findings[one], part, answer.probabilities[one], isVoid, answer.disagreement?.[one]);
}

function row(one) {
  const finding = model.facts.findings[one], probability = shown.answer.probabilities[one];
  const line = $("row").content.cloneNode(true), cut = finding.threshold;
  line.querySelector("th").textContent = finding.title;
  line.querySelector(".number").textContent = percent(probability);
  [line.querySelector(".verdict").textContent] = said(one, "short");
  const bar = line.querySelector("meter");
  [bar.value, bar.title] = [probability, percent(probability)];
  line.querySelector("tr").classList.toggle("above", cut !== null && probability >= cut);
  return line;
}

function worthRow(one) {
  const line = document.createElement("tr");
  const texts = [model.facts.findings[one].title, percent(shown.answer.probabilities[one]), ...said(one, "cells")];
  line.replaceChildren(...texts.map((text, at) =>
    Object.assign(document.createElement(at ? "td" : "th"), { textContent: text, scope: at ? undefined : "row" })));
  return line;
}

function paint() {
  if (!shown) return;
  const { facts } = model, { film, answer, name } = shown, one = Number($("finding").value);
  const kind = $("kind").value, finding = facts.findings[one], map = coarseMap(answer[kind], one);
  const fault = mapFault(map), opacity = $("opacity").value / 100, canvas = $("film");
  [canvas.width, canvas.height] = [film.width, film.height];
  const context = canvas.getContext("2d", { colorSpace: "srgb" });
  const colours = Uint8Array.from(facts.colours.match(/../g), (two) => parseInt(two, 16));
  context.putImageData(overlay(film, map, opacity, colours), 0, 0);
  if (!fault) drawCell(context, film.width, film.height, map);
  canvas.setAttribute("aria-label", `${name}, map of ${finding.title}: ${percent(answer.probabilities[one])}`);
  $("fault").textContent = fault ? `Not painted: the map of ${finding.title.toLowerCase()} ${facts.faults[fault]}.`
    : finding.caution;
  $("legend").textContent = facts.maps[kind].legend;
  $("says").replaceChildren(...said(one, "says").map((text) =>
    Object.assign(document.createElement("li"), { textContent: text })));
  $("kind").title = facts.maps[kind].description;
  $("opacity-shown").textContent = `${$("opacity").value} %`;
}

$("file").addEventListener("change", () => read($("file").files[0]));
for (const id of ["finding", "kind", "opacity"]) $(id).addEventListener("input", paint);
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  read(event.dataTransfer.files[0]);
});
begin();
