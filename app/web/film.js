// Any film to grey levels: {width, height, pixels}. Formats are told apart by content, never by name.

import { looksLikeDicom, readDicom } from "./dicom.js";
import { Refusal } from "./errors.js";
import { latin } from "./grey.js";
import { readJpeg } from "./jpeg.js";
import { readPng } from "./png.js";

const MAX_MB = 64;

/** The film in a file of the user's, blank or not. Refuses, in a sentence, one that is too large or no film. */
export async function readFilm(file) {
  if (file.size > MAX_MB * 2 ** 20) {
    throw new Refusal(`${file.name} has ${(file.size / 2 ** 20).toFixed(1)} MB: films may have ${MAX_MB} MB at most`);
  }
  return decode(new Uint8Array(await file.arrayBuffer()));
}

/** The film in the bytes of a PNG, JPEG or DICOM file. */
export async function decode(bytes) {
  if (!bytes.length) throw new Refusal("the file is empty; copy or export it again");
  if (latin(bytes.subarray(0, 8)) === "\x89PNG\r\n\x1a\n") return readPng(bytes);
  if (latin(bytes.subarray(0, 3)) === "\xff\xd8\xff") return readJpeg(bytes);
  if (looksLikeDicom(bytes)) return readDicom(bytes);
  throw new Refusal("the file is not a PNG, JPEG or DICOM image; export the film as one of these");
}
