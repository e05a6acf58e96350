// The page: a film in, probabilities and maps out. Nothing here sends anything.

import { open } from "./engine.js";
import { Refusal } from "./errors.js";
import { readFilm } from "./film.js";
import { forScreen } from "./preprocess.js";
import { coarseMap, drawCell, mapFault, overlay } from "./reading.js";

const SCREEN_SIDE = 1024;
const $ = (id) => document.getElementById(id);
const percent = (value) => `${(100 * value).toFixed(1)}%`;
let model = null;
let shown = null; // the film on the screen, its answer and its name
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
  $("file").disabled = false;
  say("Ready: choose a film, or drop one on this page.");
}

async function read(file) {
  if (!model || !file) return;
  const turn = ++latest;
  $("reading").hidden = true;
  say(`Reading ${file.name} …`);
  await new Promise((done) => setTimeout(done, 30)); // lets the browser draw the line above
  try {
    const started = performance.now(), film = await readFilm(file), answer = await model.run(film);
    if (turn !== latest) return;
    shown = { film: forScreen(film, SCREEN_SIDE), answer, name: file.name };
    show();
    say(`${file.name} was read in ${((performance.now() - started) / 1000).toFixed(2)} s. It has not left this computer.`);
  } catch (error) {
    if (turn === latest) say(`${file.name}: ${sentence(error)}`, true);
  }
}

function show() {
  const { findings } = model.facts, { probabilities } = shown.answer;
  const order = [...findings.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
  $("finding").replaceChildren(...order.map((one) =>
    new Option(`${findings[one].title}, ${percent(probabilities[one])}`, one)));
  $("rows").replaceChildren(...order.map((one) => row(findings[one], probabilities[one])));
  $("withheld").textContent = model.facts.withheld;
  $("reading").hidden = false;
  paint();
}

function row(finding, probability) {
  const line = $("row").content.cloneNode(true), cut = finding.threshold;
  const isAbove = cut !== null && probability >= cut;
  line.querySelector("th").textContent = finding.title;
  line.querySelector(".number").textContent = percent(probability);
  line.querySelector(".verdict").textContent = verdict(finding, isAbove);
  const bar = line.querySelector("meter");
  [bar.value, bar.title] = [probability, percent(probability)];
  line.querySelector("tr").classList.toggle("above", isAbove);
  return line;
}

function verdict({ threshold, positive, withheld, calibrated }, isAbove) {
  const patients = positive === null ? "" : ` (${positive} validation patient${positive === 1 ? "" : "s"})`;
  const said = threshold === null ? withheld
    : `${isAbove ? "above" : "below"} the model's threshold of ${percent(threshold)}${patients}`;
  return said + (calibrated ? "" : `${said ? "; " : ""}not calibrated`);
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
