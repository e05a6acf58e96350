// The model in onnxruntime-web: one thread, for static hosts send no isolation headers.
//
// Nothing answers before its files are those that were exported, and before it has answered the golden film.

import { Refusal } from "./errors.js";
import { decode } from "./film.js";
import { judge, scores, thumbnail, withDistance } from "./guards.js";
import { distance as farness } from "./likeness.js";
import { normalise, squash } from "./preprocess.js";
import * as ort from "./runtime/ort.wasm.bundle.min.mjs";

const here = (name) => new URL(name, import.meta.url);

/** A model that answers here as it did when it was exported. `digest` is that of model.json, in hexadecimals. */
export async function open(digest) {
  const facts = JSON.parse(new TextDecoder().decode(await load("model.json", digest)));
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await load("runtime/ort-wasm-simd-threaded.wasm", facts.files.runtime);
  const session = await start(await load("model.onnx", facts.files.model), "model.onnx");
  const gate = await start(await load("gate.onnx", facts.files.gate), "gate.onnx");
  const ask = (input, side) => askGate(gate, facts.guards.outputs, input, side);
  const model = {
    facts,
    run: (film) => run(session, facts, film),
    judge: (film) => judge(film, facts.guards, ask),
    /** The guards of a film once it was read: it may be unlike those of training. */
    beside: (guards, { features }) => {
      if (!facts.likeness) return guards;
      return withDistance(guards, farness(features, facts.likeness), facts.likeness.limit, facts.guards);
    },
  };
  await checkGolden(model, ask);
  return model;
}

async function load(name, digest) {
  let answer;
  try {
    answer = await fetch(here(name));
  } catch {
    answer = { ok: false };
  }
  if (!answer.ok) throw new Refusal(`${name} is missing beside this page; copy the whole folder again`);
  const bytes = await answer.arrayBuffer();
  // Browsers hash over https and on this computer alone; the golden film is checked in any case.
  if (crypto.subtle) {
    const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    if (Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("") !== digest) {
      throw new Refusal(`${name} is not the file that was exported: it was changed or is damaged; export the page again`);
    }
  }
  return bytes;
}

async function start(bytes, name) {
  try {
    return await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  } catch (error) {
    throw new Refusal(`${name} cannot be run by this browser (${String(error.message ?? error).slice(0, 200)})`);
  }
}

/**
 * All answers to a film: probabilities (14), maps {dims: [14, h, w], data} by their kind, and of an ensemble
 * how far its members differ (14).
 */
async function run(session, { preprocess, maps }, film) {
  const { size, mean, std } = preprocess;
  const input = normalise(squash(film, size), mean, std);
  let found;
  try {
    found = await session.run({ image: new ort.Tensor("float32", input, [1, 3, size, size]) });
  } catch (error) {
    throw new Refusal(`the film could not be read: the browser stopped the model (${error.message ?? error})`);
  }
  const answer = { logits: found.logits.data, probabilities: found.probabilities.data,
    features: found.features.data, disagreement: found.disagreement?.data };
  if (!answer.logits.every(Number.isFinite)) throw new Refusal("the model answers with values that are not numbers");
  for (const kind of Object.keys(maps)) {
    answer[kind] = { rows: found[kind].dims[2], columns: found[kind].dims[3], data: found[kind].data };
  }
  return answer;
}

/** The gate's answers to its input, those of all outputs one after another. */
async function askGate(gate, outputs, input, side) {
  const found = await gate.run({ picture: new ort.Tensor("float32", input, [1, 1, side, side]) });
  return outputs.flatMap((name) => Array.from(found[name].data));
}

async function checkGolden({ facts, run }, ask) {
  const { logits, probabilities, layercam, tolerance } = facts.golden, { guards } = facts;
  const film = await decode(Uint8Array.from(atob(facts.golden.film), (letter) => letter.charCodeAt(0)));
  const found = await run(film), gate = await scores(thumbnail(film, guards.side), guards, ask);
  const maps = layercam.flat(2), peak = Math.max(...maps, 1e-6);
  const apart = { logits: distance(found.logits, logits), probabilities: distance(found.probabilities, probabilities),
    maps: distance(found.layercam.data, maps) / peak,
    guards: distance(Object.values(gate), Object.values(guards.golden)) };
  if (facts.likeness) apart.likeness = Math.abs(farness(found.features, facts.likeness) - facts.likeness.golden);
  const limits = { guards: facts.guards.tolerance };
  const wrong = Object.keys(apart).filter((name) => !(apart[name] <= (limits[name] ?? tolerance)));
  if (wrong.length) {
    throw new Refusal(`the model does not answer here as it did when it was exported (its ${wrong.join(", ")} differ `
      + `by ${apart[wrong[0]].toPrecision(2)}, expected ${limits[wrong[0]] ?? tolerance} at most): use another browser, or export it again`);
  }
}

function distance(found, expected) {
  if (found.length !== expected.length) return NaN;
  return expected.reduce((most, value, at) => Math.max(most, Math.abs(value - found[at])), 0);
}
