// DICOM films: uncompressed grey pixels, with rescale, window and inversion as xlite.formats.dicom has them.
//
// Nothing else is read here: compressed pixels, look-up tables and colour are refused by name.

import { checkSize, Refusal } from "./errors.js";
import { latin, roundEven } from "./grey.js";

const IMPLICIT = "1.2.840.10008.1.2", EXPLICIT = "1.2.840.10008.1.2.1";
const LONG = ["OB", "OW", "OF", "OD", "OL", "OV", "SQ", "UC", "UR", "UT", "UN", "SV", "UV"];
const MODALITIES = ["CR", "DX", "RG", "DR", "XR", "RF", "XA", "OT", ""];
const PIXEL_DATA = "7fe00010", UNDEFINED = 0xffffffff, MAX_ELEMENTS = 10_000;
const ELSEWHERE = "; open it with the command line or the app, or export it as PNG";
const TABLES = { "00283000": "Modality LUT Sequence", "00283010": "VOI LUT Sequence",
  "52009229": "Shared Functional Groups", "52009230": "Per-Frame Functional Groups" };

/** Whether bytes begin as a DICOM file does, with or without its preamble of 128 bytes. */
export function looksLikeDicom(bytes) {
  if (latin(bytes.subarray(128, 132)) === "DICM") return true;
  const start = latin(bytes.subarray(0, 4));
  return ["\x02\0", "\x08\0"].includes(start.slice(0, 2)) && start[3] === "\0"
    && (/^[A-Z]{2}$/.test(latin(bytes.subarray(4, 6))) || latin(bytes.subarray(6, 8)) === "\0\0");
}

/** The film in a DICOM file: bones bright. */
export function readDicom(bytes) {
  const header = new Header(bytes), modality = header.text("00080060");
  if (!MODALITIES.includes(modality)) {
    throw new Refusal(`the DICOM file is of type '${modality.slice(0, 16)}'; expected an X-ray (CR, DX or RG)`);
  }
  const frames = header.number("00280008") ?? 1;
  if (frames > 1) throw new Refusal(`the DICOM file holds ${frames} images; export the one film to read`);
  for (const [tag, name] of Object.entries(TABLES)) {
    if (header.has(tag)) throw new Refusal(`the DICOM file has a ${name}, which this page does not read${ELSEWHERE}`);
  }
  const layout = readLayout(header), codes = readCodes(header, layout);
  return { width: layout.width, height: layout.height, pixels: render(codes, layout, header) };
}

/** The elements of the file's first level by tag, as eight hexadecimal digits. */
class Header {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.elements = new Map();
    let at = latin(bytes.subarray(128, 132)) === "DICM" ? 132 : 0;
    for (let syntax = EXPLICIT, count = 0; at + 8 <= bytes.length; count++) {
      const group = this.view.getUint16(at, true);
      if (group !== 2 && this.has("00020010")) syntax = this.syntax();
      const element = this.#element(at, group === 2 ? EXPLICIT : syntax);
      this.elements.set(element.tag, element);
      if (element.tag === PIXEL_DATA) return;
      if (count > MAX_ELEMENTS || element.end > bytes.length) throw damaged();
      at = element.end;
    }
    throw new Refusal("the DICOM file holds no image (Pixel Data); export the film with its pixels");
  }

  syntax() {
    const stated = this.#raw("00020010");
    if (stated === IMPLICIT || stated === EXPLICIT) return stated;
    const what = stated.startsWith("1.2.840.10008.1.2.4") || stated === "1.2.840.10008.1.2.5" ? "compressed"
      : "in a coding";
    throw new Refusal(`the DICOM file's pixels are ${what} (Transfer Syntax UID ${stated.slice(0, 64)}), which this `
      + `page does not read${ELSEWHERE}`);
  }

  #element(at, syntax) {
    const { view } = this;
    const tag = [0, 2].map((part) => view.getUint16(at + part, true).toString(16).padStart(4, "0")).join("");
    const vr = latin(this.bytes.subarray(at + 4, at + 6));
    const explicit = syntax === EXPLICIT && /^[A-Z]{2}$/.test(vr);
    const isLong = explicit && LONG.includes(vr), start = at + (isLong ? 12 : 8);
    if (start > this.bytes.length) throw damaged();
    const length = !explicit ? view.getUint32(at + 4, true)
      : isLong ? view.getUint32(at + 8, true) : view.getUint16(at + 6, true);
    const end = length === UNDEFINED ? this.#endOfItems(start, syntax) : start + length;
    return { tag, vr: explicit ? vr : "", start, end, length };
  }

  /** Where a sequence of undefined length ends: its items may be of undefined length, too. */
  #endOfItems(start, syntax) {
    for (let at = start, count = 0; at + 8 <= this.bytes.length && count < MAX_ELEMENTS; count++) {
      const element = this.#element(at, syntax);
      if (element.tag === "fffee0dd" || element.tag === "fffee00d") return element.end;
      at = element.end;
    }
    throw damaged();
  }

  has(tag) {
    return (this.elements.get(tag)?.length ?? 0) > 0;
  }

  #raw(tag) {
    const element = this.elements.get(tag);
    return element ? latin(this.bytes.subarray(element.start, Math.min(element.end, element.start + 256)))
      .split("\\")[0].replace(/^[ \t\r\n\0]+|[ \t\r\n\0]+$/g, "") : "";
  }

  /** The first value in upper case, empty if there is none. */
  text(tag) {
    return this.#raw(tag).toUpperCase();
  }

  /** The first number of a text, which may have a decimal comma; null if there is none. */
  number(tag) {
    const found = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?/i.exec(this.#raw(tag).replace(",", "."));
    return found ? Number(found[0]) : null;
  }

  /** The first value of two bytes; null if there is none. */
  word(tag) {
    const element = this.elements.get(tag);
    return element && element.length >= 2 ? this.view.getUint16(element.start, true) : null;
  }
}

function readLayout(header) {
  const needed = (tag, name) => {
    const value = header.word(tag);
    if (value === null) throw new Refusal(`the DICOM file's ${name} is missing; export it again`);
    return value;
  };
  const [height, width] = [needed("00280010", "Rows"), needed("00280011", "Columns")];
  checkSize(width, height);
  const photometric = header.text("00280004").replace(/[ _]/g, "");
  if (!["MONOCHROME1", "MONOCHROME2"].includes(photometric)) {
    throw new Refusal(`the DICOM file's Photometric Interpretation is '${photometric.slice(0, 20)}', which this page `
      + `does not read${ELSEWHERE}`);
  }
  const allocated = needed("00280100", "Bits Allocated"), stored = needed("00280101", "Bits Stored");
  const high = header.word("00280102") ?? stored - 1;
  if (![8, 16].includes(allocated) || stored < 1 || stored > allocated || high !== stored - 1) {
    throw new Refusal(`the DICOM file has ${allocated} Bits Allocated, ${stored} stored, the High Bit ${high}, which `
      + `this page does not read${ELSEWHERE}`);
  }
  const signed = needed("00280103", "Pixel Representation") === 1;
  return { width, height, allocated, stored, signed, inverted: photometric === "MONOCHROME1" };
}

function readCodes(header, { width, height, allocated }) {
  const { start, end, length } = header.elements.get(PIXEL_DATA), bytes = width * height * (allocated / 8);
  const found = Math.min(end, header.bytes.length) - start;
  if (length === UNDEFINED || found < bytes) {
    throw new Refusal(`the DICOM file is damaged: its Pixel Data has ${found.toLocaleString("en")} bytes, but Rows and `
      + `Columns need ${bytes.toLocaleString("en")}; copy or export it again`);
  }
  const excess = header.bytes.subarray(start + bytes, start + found);
  if (excess.length >= bytes / height && excess.some((byte) => byte !== excess[0])) {
    throw new Refusal("the DICOM file's image size does not match its pixels; export it again");
  }
  const pixels = header.bytes.slice(start, start + bytes);
  return allocated === 8 ? pixels : new Uint16Array(pixels.buffer);
}

/** A grey level for each code that a pixel can have, looked up once for each pixel. */
function render(codes, layout, header) {
  const { allocated, stored, signed } = layout, half = 2 ** (stored - 1);
  const counts = new Uint32Array(2 ** allocated);
  for (let at = 0; at < codes.length; at++) counts[codes[at]]++;
  const values = Float64Array.from(counts, (_, code) => {
    const low = code & (2 ** stored - 1);
    return signed && low >= half ? low - 2 * half : low;
  });
  const padded = padding(values, layout, header);
  const limits = signed ? [-half, half - 1] : [0, 2 * half - 1];
  rescale(values, limits, header);
  const greys = present(values, counts, padded, limits, layout, header);
  const shape = header.text("20500020");
  const inverted = shape === "INVERSE" || (layout.inverted && shape !== "IDENTITY");
  const pixels = new Uint8Array(codes.length);
  const levels = greys.map((level, code) => (padded[code] ? 0 : inverted ? 255 - level : level));
  for (let at = 0; at < codes.length; at++) pixels[at] = levels[codes[at]];
  return pixels;
}

/** Which values the file puts outside the exposed field: one, or a range. */
function padding(values, { signed }, header) {
  const ends = ["00280120", "00280121"].map((tag) => header.word(tag)).filter((end) => end !== null)
    .map((end) => (signed ? (end << 16) >> 16 : end));
  if (header.word("00280120") === null) return values.map(() => 0);
  return values.map((value) => Number(value >= Math.min(...ends) && value <= Math.max(...ends)));
}

function rescale(values, limits, header) {
  const [intercept, slope] = ["00281052", "00281053"].map((tag) => header.number(tag));
  if (!slope || intercept === null) return;
  const apply = (value) => Math.fround(Math.fround(value * Math.fround(slope)) + Math.fround(intercept));
  values.forEach((value, code) => (values[code] = apply(value)));
  limits.splice(0, 2, ...limits.map((end) => slope * end + intercept).sort((a, b) => a - b));
}

/** By the file's first window, else by the range of 8 bits, else by the middle 99 % of the pixels. */
function present(values, counts, padded, limits, { stored }, header) {
  const [center, width] = ["00281050", "00281051"].map((tag) => header.number(tag));
  const form = header.text("00281056") || "LINEAR";
  if (center !== null && width !== null && width >= (form === "LINEAR" ? 1 : 1e-6)) {
    const greys = windowed(values, center, width, form);
    const shown = greys.filter((_, code) => counts[code]);
    if (shown.some((level) => level !== shown[0])) return greys;
  }
  if (stored <= 8) {
    const share = 255 / (limits[1] - limits[0]);
    return bytes(values, (value) => Math.min(255, Math.max(0, (value - limits[0]) * share)));
  }
  const [low, high] = middle(values, counts, padded);
  return windowed(values, (low + high) / 2, Math.max(high - low, 1e-6), "LINEAR_EXACT");
}

function windowed(values, center, width, form) {
  if (form === "LINEAR") [center, width] = [center - 0.5, width - 1];
  if (width === 0) return bytes(values, (value) => (value > center ? 255 : 0));
  const scaled = (value) => Math.fround(Math.fround(value - Math.fround(center)) / Math.fround(width));
  return bytes(values, (value) => form === "SIGMOID"
    ? 255 / (1 + Math.exp(-4 * Math.min(10, Math.max(-10, scaled(value)))))
    : Math.fround(Math.min(1, Math.max(0, Math.fround(scaled(value) + 0.5))) * 255));
}

const bytes = (values, level) => Uint8Array.from(values, (value) => roundEven(level(value)));

/** Percentiles 0.5 and 99.5 of the exposed pixels, as numpy's linear method gives them. */
function middle(values, counts, padded) {
  const all = [...values.keys()].filter((code) => counts[code]);
  const exposed = all.filter((code) => !padded[code]);
  const codes = (exposed.length ? exposed : all).sort((a, b) => values[a] - values[b]);
  const total = codes.reduce((sum, code) => sum + counts[code], 0);
  const ranked = (rank) => {
    for (const code of codes) if ((rank -= counts[code]) < 0) return values[code];
    return values[codes.at(-1)];
  };
  return [0.005, 0.995].map((share) => {
    const place = share * (total - 1), lower = ranked(Math.floor(place));
    return lower + (ranked(Math.ceil(place)) - lower) * (place % 1);
  });
}

const damaged = () => new Refusal("the DICOM file is damaged or cannot be read; export it again");
