// The pictures that a stage is drawn from. Each is made anew only if what it shows is another.

import { enlarged, greyPixels, mapPixels } from "./pixels.js";

const LARGEST_MAP = 1024; // px on the longer side of a map's picture: smooth, it is enlarged with its film

/** A canvas of pixels RGBA. */
export function pictureOf(pixels, width, height) {
  const picture = new OffscreenCanvas(width, height);
  picture.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  return picture;
}

/** The last picture of a film and of a map. */
export class Pictures {
  /** A film's greys as a table of 256 shows them. */
  film(greys, { id, width, height }, table) {
    const look = `${id} ${table}`;
    if (look !== this.look) {
      this.filmNow = pictureOf(greyPixels(greys, table), width, height);
      this.look = look;
    }
    return this.filmNow;
  }

  /** A map in the colours of a table (256 x RGB), in the shape of its film. */
  map(map, film, table) {
    if (map !== this.mapShown || table !== this.tableShown) {
      const share = Math.min(1, LARGEST_MAP / Math.max(film.width, film.height));
      const [width, height] = [film.width, film.height].map((px) => Math.max(1, Math.round(share * px)));
      this.mapNow = pictureOf(mapPixels(enlarged(map, width, height), table), width, height);
      Object.assign(this, { mapShown: map, tableShown: table });
    }
    return this.mapNow;
  }
}
