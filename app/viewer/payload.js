// What the page gives, as xlite/serving/viewer_data.py packs it: a header's length, the header, then bytes.

/** The header of a payload (Uint8Array), and what gives the bytes that lie at a `[start, length]` of it. */
function opened(payload) {
  const length = new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(payload.subarray(4, 4 + length)));
  return { header, bytes: ([start, count]) => payload.subarray(4 + length + start, 4 + length + start + count) };
}

/** A film alone: its id and its encoded greys. */
export function unpackFilm(payload) {
  const { header, bytes } = opened(payload);
  return { ...header, film: bytes(header.film) };
}

/** What is said of a film, with the bytes in the place of the `[start, length]` where they lie. */
export function unpack(payload) {
  const { header, bytes } = opened(payload);
  return {
    ...header,
    scales: header.scales.map((scale) => ({ ...scale, table: bytes(scale.table) })),
    maps: header.maps.map((map) => ({ ...map, grid: bytes(map.grid) })),
  };
}

/** The greys of an encoded film, each as it is in the file: a `Uint8Array`, row by row. */
export async function decodeFilm(encoded, width, height) {
  const asIs = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const picture = await createImageBitmap(new Blob([encoded], { type: "image/png" }), asIs);
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  picture.close();
  const { data } = context.getImageData(0, 0, width, height);
  const greys = new Uint8Array(width * height);
  for (let at = 0; at < greys.length; at++) greys[at] = data[4 * at];
  return greys;
}
