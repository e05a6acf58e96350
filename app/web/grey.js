// Samples to grey levels, as xlite.formats does it: ITU-R 601 weights, transparent pixels black, films upright.

/** Pillow's luma of 8 bits a channel. */
export const luma = (red, green, blue) => (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;

/** OpenCV's luma of 16 bits a channel. */
export const deepLuma = (red, green, blue) =>
  Math.floor((red * 9798 + green * 19235 + blue * 3735 + 16384) / 32768);

/** Two bytes multiplied as shares of 255; Pillow cuts the fraction. */
export const multiply = (level, alpha) => Math.floor((level * alpha) / 255);

/** The nearest whole number, an even one of two, as numpy and OpenCV round. */
export function roundEven(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}

/** The bits of a number without leading zeros. */
export const bitLength = (value) => (value ? Math.floor(Math.log2(value)) + 1 : 0);

/** A photo of an EXIF orientation (0 if unknown) turned upright. */
export function upright(film, orientation) {
  if (orientation < 2) return film;
  const { width, height, pixels } = film, turned = orientation > 4;
  const [across, down] = turned ? [height, width] : [width, height];
  const flipX = [2, 3, 6, 7].includes(orientation), flipY = [3, 4, 7, 8].includes(orientation);
  const target = new Uint8Array(pixels.length);
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const [column, row] = [flipX ? across - 1 - x : x, flipY ? down - 1 - y : y];
      target[y * across + x] = pixels[turned ? column * width + row : row * width + column];
    }
  }
  return { width: across, height: down, pixels: target };
}

/** The orientation (1-8) in an EXIF block, 0 if it has none: of its first directory alone. */
export function exifOrientation(block) {
  const exif = latin(block.subarray(0, 6)) === "Exif\0\0" ? block.subarray(6) : block;
  const little = { "II*\0": true, "MM\0*": false }[latin(exif.subarray(0, 4))];
  if (little === undefined || exif.length < 10) return 0;
  const view = new DataView(exif.buffer, exif.byteOffset, exif.length);
  const start = view.getUint32(4, little);
  if (start + 2 > exif.length) return 0;
  const end = Math.min(start + 2 + 12 * view.getUint16(start, little), exif.length - 11);
  for (let at = start + 2; at < end; at += 12) {
    const read = { 1: "getUint8", 3: "getUint16", 4: "getUint32" }[view.getUint16(at + 2, little)];
    if (view.getUint16(at, little) === 0x0112 && read) {
      const orientation = view[read](at + 8, little);
      return orientation >= 1 && orientation <= 8 ? orientation : 0;
    }
  }
  return 0;
}

/** The orientation (1-8) in an XMP packet, 0 if it has none. */
export function xmpOrientation(packet) {
  return Number(/tiff:Orientation(?:=["']|>)([1-8])/.exec(latin(packet))?.[1] ?? 0);
}

/** Bytes as text, one letter each. */
export const latin = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
