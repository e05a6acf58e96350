// JPEG films: every segment looked at here, the coded data decoded by the browser.
//
// The decoder gets what it needs and no more: without EXIF and colour profile nothing is turned or converted,
// whatever a browser does with them. A decoder fills what a cut scan lacks with grey and says nothing; so it
// decodes twice, the second time with more data behind each stretch: what depends on it was cut.

import { checkSize, Refusal } from "./errors.js";
import { exifOrientation, latin, luma, upright, xmpOrientation } from "./grey.js";

const END = 0xd9, SCAN = 0xda, EXIF_OR_XMP = 0xe1;
const FRAMES = [0xc0, 0xc1, 0xc2]; // baseline, sequential, progressive
const OTHER_FRAMES = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf, 0xf7, 0xde];
const NEEDED = [...FRAMES, 0xc4, 0xdb, 0xdd, SCAN, 0xe0, 0xee]; // tables, scans, and the colours they imply
const MORE = Uint8Array.from([0x5a, 0x93, 0xc6, 0x4e, 0x17, 0xb8, 0x2d, 0x69, 0x71, 0xa4, 0xd3, 0x85]);
const MAX_SEGMENTS = 4000;
const STRIP = 256; // rows read back at a time

/** The film in a JPEG, upright, colour made grey. */
export async function readJpeg(bytes) {
  const parts = segments(bytes), { width, height, colours } = readFrame(bytes, parts);
  if (!parts.some((part) => part.marker === SCAN)) throw damaged("scans are missing");
  checkCanvas();
  const pixels = await decode(stream(bytes, parts), width, height, colours);
  const again = await decode(stream(bytes, parts, MORE), width, height, colours);
  if (again.some((level, at) => level !== pixels[at])) throw damaged("a scan is cut");
  return upright({ width, height, pixels }, orientation(bytes, parts));
}

/** Marker, start, body and end of each segment; of a scan also where its coded data ends. */
function segments(bytes) {
  const parts = [];
  for (let at = 2; ; ) {
    if (bytes[at] !== 0xff) throw damaged("a marker is missing");
    while (bytes[at + 1] === 0xff) at++;
    const marker = bytes[at + 1];
    if (marker === END) return parts;
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    const length = (bytes[at + 2] << 8) | bytes[at + 3], end = at + 2 + length;
    if (!(length >= 2 && end <= bytes.length)) throw damaged("a segment is cut");
    const part = { marker, start: at, body: at + 4, end, scanEnd: end };
    if (marker === SCAN) part.scanEnd = endOfScan(bytes, end);
    parts.push(part);
    if (parts.length > MAX_SEGMENTS) throw damaged(`it has more than ${MAX_SEGMENTS} segments`);
    at = part.scanEnd;
  }
}

/** Where the next marker stands, but for stuffed zeros and restart markers. */
function endOfScan(bytes, start) {
  for (let at = start; (at = bytes.indexOf(0xff, at)) >= 0; at++) {
    const next = bytes[at + 1];
    if (next !== undefined && next !== 0 && next !== 0xff && !isRestart(next)) return at;
  }
  throw damaged("the last scan is cut");
}

const isRestart = (marker) => marker >= 0xd0 && marker <= 0xd7;

function readFrame(bytes, parts) {
  const frames = parts.filter(({ marker }) => FRAMES.includes(marker) || OTHER_FRAMES.includes(marker));
  if (frames.length !== 1) throw damaged(frames.length ? "frame headers that differ" : "no frame header");
  const [{ marker, body, end }] = frames;
  if (end - body < 6) throw damaged("a frame header is cut");
  const [height, width] = [1, 3].map((at) => (bytes[body + at] << 8) | bytes[body + at + 1]);
  const colours = bytes[body + 5];
  checkSize(width, height);
  if (!FRAMES.includes(marker) || bytes[body] !== 8 || ![1, 3].includes(colours)) {
    throw new Refusal("the JPEG is of a kind that browsers do not read; export it as a baseline JPEG or as PNG");
  }
  return { width, height, colours };
}

/** What a decoder needs of the file, with `more` behind each stretch of coded data. */
function stream(bytes, parts, more = new Uint8Array()) {
  const pieces = [Uint8Array.of(0xff, 0xd8)];
  for (const part of parts.filter(({ marker }) => NEEDED.includes(marker))) {
    pieces.push(bytes.subarray(part.start, part.end));
    if (part.marker === SCAN) pieces.push(...stretches(bytes.subarray(part.end, part.scanEnd), more));
  }
  return new Blob([...pieces, Uint8Array.of(0xff, END)], { type: "image/jpeg" });
}

function stretches(coded, more) {
  if (!more.length) return [coded];
  const pieces = [];
  let from = 0;
  for (let at = 0; (at = coded.indexOf(0xff, at)) >= 0; at++) {
    if (!isRestart(coded[at + 1])) continue;
    pieces.push(coded.subarray(from, at), more);
    from = at;
  }
  return [...pieces, coded.subarray(from), more];
}

async function decode(blob, width, height, colours) {
  let picture;
  try {
    picture = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw damaged("its coded data is broken");
  }
  if (picture.width !== width || picture.height !== height) throw damaged("its size is not what it says");
  const pixels = new Uint8Array(width * height), context = readable(width, Math.min(STRIP, height));
  for (let top = 0; top < height; top += STRIP) {
    const rows = Math.min(STRIP, height - top);
    context.drawImage(picture, 0, top, width, rows, 0, 0, width, rows);
    const { data } = context.getImageData(0, 0, width, rows, { colorSpace: "srgb" });
    for (let at = 0, to = top * width; at < data.length; at += 4, to++) {
      pixels[to] = colours === 1 ? data[at] : luma(data[at], data[at + 1], data[at + 2]);
    }
  }
  picture.close();
  return pixels;
}

function readable(width, height) {
  const canvas = new OffscreenCanvas(width, height);
  return canvas.getContext("2d", { willReadFrequently: true, alpha: false, colorSpace: "srgb" });
}

/** Some browsers change what is read back from a canvas, against tracking: then no film may be read so. */
function checkCanvas() {
  const context = readable(16, 16), drawn = new ImageData(16, 16);
  drawn.data.forEach((_, at) => (drawn.data[at] = at % 4 === 3 ? 255 : (at * 37) % 256));
  context.putImageData(drawn, 0, 0);
  const { data } = context.getImageData(0, 0, 16, 16);
  if (data.some((level, at) => level !== drawn.data[at])) {
    throw new Refusal("this browser changes the pixels of pictures as a guard against tracking, so a JPEG would "
      + "be read wrongly; allow this page to read canvases, or export the film as PNG");
  }
}

function orientation(bytes, parts) {
  const blocks = parts.filter(({ marker }) => marker === EXIF_OR_XMP).map((one) => bytes.subarray(one.body, one.end));
  const starting = (text) => blocks.filter((block) => latin(block.subarray(0, text.length)) === text);
  return [...starting("Exif\0\0").map(exifOrientation),
    ...starting("http://ns.adobe.com/xap/1.0/\0").map(xmpOrientation)].find(Boolean) ?? 0;
}

const damaged = (how) => new Refusal(`the JPEG is damaged or incomplete (${how}); copy or export it again`);
