// PNG films of every kind to grey levels: the browser's own decoder makes 8 bits of 16, and blends colours.

import { checkSize, Refusal } from "./errors.js";
import { bitLength, deepLuma, exifOrientation, latin, luma, multiply, roundEven, upright, xmpOrientation }
  from "./grey.js";

const [GREY, RGB, PALETTE, GREY_ALPHA, RGBA] = [0, 2, 3, 4, 6];
const CHANNELS = { [GREY]: 1, [RGB]: 3, [PALETTE]: 1, [GREY_ALPHA]: 2, [RGBA]: 4 };
const DEPTHS = { [GREY]: [1, 2, 4, 8, 16], [PALETTE]: [1, 2, 4, 8] };
const CRITICAL = ["IHDR", "PLTE", "IDAT", "IEND"];
// The passes of Adam7: first row and column, steps down and across.
const PASSES = [[0, 0, 8, 8], [0, 4, 8, 8], [4, 0, 8, 4], [0, 2, 4, 4], [2, 0, 4, 2], [0, 1, 2, 2], [1, 0, 2, 1]];
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});

/** The film in a PNG, upright. Refuses a wrong checksum, a row missing or too many, and any other damage. */
export async function readPng(bytes) {
  const chunks = readChunks(bytes), header = readHeader(chunks.IHDR[0]);
  const packed = await inflate(joined(chunks.IDAT), byteCount(header));
  const samples = unpack(packed, header);
  const pixels = header.bits === 16 ? deepGreys(samples, header, chunks) : greys(samples, header, chunks);
  return upright({ width: header.width, height: header.height, pixels }, await orientation(chunks));
}

function readChunks(bytes) {
  const chunks = {}, view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 8, last = ""; ; ) {
    const length = at + 12 <= bytes.length ? view.getUint32(at) : bytes.length;
    const kind = latin(bytes.subarray(at + 4, at + 8)), end = at + 8 + length;
    if (end + 4 > bytes.length) throw damaged("it is cut");
    if (crc(bytes.subarray(at + 4, end)) !== view.getUint32(end)) throw damaged("a checksum is wrong");
    if (kind === "IEND") break;
    const isFirst = Object.keys(chunks).length === 0;
    if ((kind === "IHDR") !== isFirst || (kind === "IDAT" && kind in chunks && last !== kind)) {
      throw damaged("its chunks are out of order");
    }
    if (["PLTE", "tRNS"].includes(kind) && (kind in chunks || "IDAT" in chunks)) {
      throw damaged("its chunks are out of order");
    }
    if (kind[0] < "a" && !CRITICAL.includes(kind)) throw damaged("it has a chunk of an unknown kind");
    (chunks[kind] ??= []).push(bytes.subarray(at + 8, end));
    [at, last] = [end + 4, kind];
  }
  if (!chunks.IDAT) throw damaged("it has no pixels");
  return chunks;
}

function crc(bytes) {
  let sum = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) sum = CRC[(sum ^ bytes[at]) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}

function readHeader(body) {
  if (body.length !== 13) throw damaged("its header is cut");
  const view = new DataView(body.buffer, body.byteOffset, 13);
  const [width, height, bits, colour] = [view.getUint32(0), view.getUint32(4), body[8], body[9]];
  checkSize(width, height);
  const channels = CHANNELS[colour], interlaced = body[12];
  if (!channels || !(DEPTHS[colour] ?? [8, 16]).includes(bits) || body[10] || body[11] || interlaced > 1) {
    throw damaged("its header states what no film has");
  }
  const passes = (interlaced ? PASSES : [[0, 0, 1, 1]]).map(([top, left, down, across]) => {
    const columns = Math.ceil((width - left) / across), lines = Math.ceil((height - top) / down);
    return { top, left, down, across, columns, lines, bytes: Math.ceil((columns * channels * bits) / 8) };
  });
  return { width, height, bits, colour, channels, passes: passes.filter((one) => one.columns && one.lines) };
}

const byteCount = (header) => header.passes.reduce((sum, pass) => sum + pass.lines * (pass.bytes + 1), 0);

/** What a zlib stream unpacks to: exactly `size` bytes, and no byte behind its checksum. */
async function inflate(packed, size) {
  const whole = new Uint8Array(size);
  let at = 0;
  try {
    for await (const part of pieces(packed)) {
      if (at + part.length > size) throw damaged("it has more rows than it says");
      whole.set(part, at);
      at += part.length;
    }
  } catch (error) {
    throw error instanceof Refusal ? error : damaged("its compressed data is broken");
  }
  if (at < size) throw damaged("rows are missing");
  return whole;
}

async function* pieces(packed) {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  for (let next; !(next = await reader.read()).done; ) yield next.value;
}

/** The samples of all pixels, row by row: Uint8Array, or Uint16Array of 16 bits. */
function unpack(packed, header) {
  const { width, channels, bits } = header;
  const samples = new (bits === 16 ? Uint16Array : Uint8Array)(width * header.height * channels);
  let start = 0;
  for (const pass of header.passes) {
    const rows = unfilter(packed.subarray(start), pass, Math.max(1, (channels * bits) >> 3));
    start += pass.lines * (pass.bytes + 1);
    for (let line = 0; line < pass.lines; line++) {
      const row = rows.subarray(line * pass.bytes, (line + 1) * pass.bytes);
      for (let column = 0; column < pass.columns; column++) {
        const place = (pass.top + line * pass.down) * width + pass.left + column * pass.across;
        for (let channel = 0; channel < channels; channel++) {
          samples[place * channels + channel] = sample(row, column * channels + channel, bits);
        }
      }
    }
  }
  return samples;
}

function sample(row, number, bits) {
  if (bits === 8) return row[number];
  if (bits === 16) return (row[2 * number] << 8) | row[2 * number + 1];
  const at = number * bits;
  return (row[at >> 3] >> (8 - bits - (at & 7))) & ((1 << bits) - 1);
}

/** The rows of a pass with their filters undone (ISO/IEC 15948, clause 9); unit: bytes of a pixel. */
function unfilter(packed, { lines, bytes }, unit) {
  const rows = new Uint8Array(lines * bytes);
  for (let line = 0; line < lines; line++) {
    const from = line * (bytes + 1) + 1, to = line * bytes, filter = packed[from - 1];
    if (filter > 4) throw damaged("a row has an unknown filter");
    for (let at = 0; at < bytes; at++) {
      const left = at < unit ? 0 : rows[to + at - unit];
      const above = line ? rows[to + at - bytes] : 0;
      const corner = line && at >= unit ? rows[to + at - bytes - unit] : 0;
      rows[to + at] = packed[from + at] + predicted(filter, left, above, corner);
    }
  }
  return rows;
}

function predicted(filter, left, above, corner) {
  if (filter < 3) return filter === 0 ? 0 : filter === 1 ? left : above;
  if (filter === 3) return (left + above) >> 1;
  const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

function greys(samples, header, chunks) {
  const { colour, channels } = header, hidden = transparent(header, chunks);
  const pixels = new Uint8Array(header.width * header.height);
  if (colour === GREY || colour === PALETTE) {
    const levels = colour === GREY ? greyLevels(header.bits, hidden) : paletteLevels(chunks);
    for (let at = 0; at < pixels.length; at++) {
      if (samples[at] >= levels.length) throw damaged("a pixel's colour is not in its palette");
      pixels[at] = levels[samples[at]];
    }
    return pixels;
  }
  for (let at = 0, from = 0; at < pixels.length; at++, from += channels) {
    let level = channels > 2 ? luma(samples[from], samples[from + 1], samples[from + 2]) : samples[from];
    if (channels % 2 === 0) level = multiply(level, samples[from + channels - 1]);
    pixels[at] = isHidden(samples, from, hidden) ? 0 : level;
  }
  return pixels;
}

function greyLevels(bits, hidden) {
  const most = 2 ** bits - 1;
  const levels = Uint8Array.from({ length: most + 1 }, (_, value) => Math.floor((value * 255) / most));
  if (hidden && hidden[0] <= most) levels[hidden[0]] = 0;
  return levels;
}

function paletteLevels(chunks) {
  const palette = chunks.PLTE?.[0] ?? [], alpha = chunks.tRNS?.[0] ?? [];
  if (!palette.length || palette.length % 3 || palette.length > 768) throw damaged("it has no palette");
  return Uint8Array.from({ length: palette.length / 3 }, (_, number) =>
    multiply(luma(...palette.subarray(3 * number, 3 * number + 3)), alpha[number] ?? 255));
}

/** 16 bits a sample; how many of them are used sBIT tells, else the brightest sample. */
function deepGreys(samples, header, chunks) {
  const { channels } = header, hidden = transparent(header, chunks);
  const deep = new Uint16Array(header.width * header.height);
  let brightest = 0;
  for (let at = 0, from = 0; at < deep.length; at++, from += channels) {
    const colours = channels > 2 ? 3 : 1;
    for (let one = from; one < from + colours; one++) brightest = Math.max(brightest, samples[one]);
    let level = colours > 1 ? deepLuma(samples[from], samples[from + 1], samples[from + 2]) : samples[from];
    if (channels % 2 === 0) {
      level = roundEven(Math.fround(Math.fround(samples[from + channels - 1] / 65535) * level));
    }
    deep[at] = isHidden(samples, from, hidden) ? 0 : level;
  }
  const stated = significantBits(header, chunks), used = Math.max(8, bitLength(brightest));
  return toBytes(deep, stated ? (used <= stated ? stated : 16) : used);
}

/** Values of so many bits to grey levels, as xlite.pixels.to_uint8. */
export function toBytes(values, bits) {
  const share = Math.fround(255 / (2 ** bits - 1));
  const levels = Uint8Array.from({ length: 2 ** bits }, (_, value) =>
    bits === 8 ? value : roundEven(Math.fround(value * share)));
  const pixels = new Uint8Array(values.length);
  for (let at = 0; at < pixels.length; at++) pixels[at] = levels[values[at]];
  return pixels;
}

function significantBits({ colour }, chunks) {
  const colours = colour === GREY || colour === GREY_ALPHA ? 1 : 3;
  const stated = Math.max(0, ...(chunks.sBIT?.[0] ?? []).slice(0, colours));
  return stated >= 8 && stated <= 16 ? stated : 0;
}

/** The one sample, or the three, that make a pixel without alpha transparent. */
function transparent({ colour }, chunks) {
  const body = chunks.tRNS?.[0];
  if (!body || (colour !== GREY && colour !== RGB)) return null;
  if (body.length !== 2 * CHANNELS[colour]) throw damaged("its transparency is cut");
  return Array.from({ length: CHANNELS[colour] }, (_, one) => (body[2 * one] << 8) | body[2 * one + 1]);
}

const isHidden = (samples, from, hidden) => hidden?.every((value, one) => samples[from + one] === value);

/** As Pillow looks for it: EXIF, EXIF as ImageMagick writes it, XMP. */
async function orientation(chunks) {
  const raw = await Promise.all((chunks.zTXt ?? []).map(rawExif));
  const packets = (chunks.iTXt ?? []).filter((one) => latin(one).startsWith("XML:com.adobe.xmp\0\0"));
  return [...(chunks.eXIf ?? []).map(exifOrientation), ...raw.map(exifOrientation),
    ...packets.map(xmpOrientation)].find(Boolean) ?? 0;
}

/** The EXIF that ImageMagick writes as a compressed text: a name, a length, hexadecimal digits. */
async function rawExif(body) {
  const name = "Raw profile type exif\0", parts = [];
  if (!latin(body).startsWith(name)) return new Uint8Array();
  try {
    for await (const part of pieces(body.subarray(name.length + 1))) parts.push(part);
  } catch {
    return new Uint8Array(); // no more than a hint: the film itself is whole
  }
  const digits = latin(joined(parts)).split("\n").slice(3).join("");
  return Uint8Array.from(digits.match(/[0-9a-f]{2}/gi) ?? [], (two) => parseInt(two, 16));
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const damaged = (how) => new Refusal(`the PNG is damaged or incomplete (${how}); copy or export it again`);
