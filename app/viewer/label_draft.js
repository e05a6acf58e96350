// What a reader has said of a film and not yet saved. The browser keeps it, so that a reload or a crash loses nothing.

/** Counts the seconds in which the page is seen, on top of those that were counted before. */
class Watch {
  constructor(before) {
    this.before = before;
    this.since = document.hidden ? null : performance.now();
  }

  get seconds() {
    return this.before + (this.since === null ? 0 : (performance.now() - this.since) / 1000);
  }

  turn() {
    this.before = this.seconds;
    this.since = document.hidden ? null : performance.now();
  }
}

/** A draft of what the page gave: {store, film, phase, answers, boxes}. */
export class Draft {
  constructor(given) {
    this.given = given;
    const kept = this.kept();
    this.answers = { ...(kept?.answers ?? given.answers) };
    this.boxes = [...(kept?.boxes ?? given.boxes)];
    this.watch = new Watch(kept?.seconds ?? 0);
  }

  get key() {
    return `xlite-label:${this.given.store}`;
  }

  /** What the browser has of this film in this phase, if anything. */
  kept() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      return kept?.film === this.given.film && kept.phase === this.given.phase ? kept : null;
    } catch (error) {
      if (error instanceof SyntaxError || error.name === "SecurityError") return null;
      throw error;
    }
  }

  keep() {
    const { answers, boxes, watch, given } = this;
    const kept = JSON.stringify({ film: given.film, phase: given.phase, answers, boxes, seconds: watch.seconds });
    try {
      localStorage.setItem(this.key, kept);
    } catch (error) {
      if (!["SecurityError", "QuotaExceededError"].includes(error.name)) throw error; // without it a reload begins anew
    }
  }

  forget() {
    try {
      localStorage.removeItem(this.key);
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
    }
  }

  set(finding, answer) {
    if (answer) this.answers[finding] = answer;
    else delete this.answers[finding];
    if (answer !== "yes" && answer !== "unsure") this.boxes = this.boxes.filter((box) => box.finding !== finding);
    this.keep();
  }

  /** Adds a box, and says yes to its finding unless that is answered. */
  add(box) {
    this.boxes.push(box);
    if (!["yes", "unsure"].includes(this.answers[box.finding])) this.answers[box.finding] = "yes";
    this.keep();
  }

  open(findings) {
    return findings.filter(({ name }) => !this.answers[name]);
  }

  /** Whether it says what the page gave. */
  get isAsGiven() {
    const { answers, boxes } = this.given, said = ([name, answer]) => this.answers[name] === answer;
    return Object.entries(answers).every(said) && JSON.stringify(this.boxes) === JSON.stringify(boxes);
  }

  /** What the page is sent: boxes in the frame of 1024 x 1024 that NIH's boxes have, to a tenth of a px. */
  get message() {
    const { answers, boxes, given: { frame: [width, height], side } } = this;
    const scaled = (px, whole) => Math.round((10 * side * px) / whole) / 10;
    return {
      answers, seconds: Math.round(1000 * this.watch.seconds) / 1000,
      boxes: boxes.map((box) => ({
        finding: box.finding,
        x: scaled(box.x, width), y: scaled(box.y, height),
        w: scaled(box.width, width), h: scaled(box.height, height),
      })),
    };
  }
}
