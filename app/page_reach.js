// Whatever scrolls sideways can be scrolled by keyboard: a table that is wider than its place takes the focus.
// Streamlit draws tables of Markdown without a tab stop; this adds one while a table needs it, on every page.
// And a reader's name that is given by Enter lets the focus go: the keys that label films would go on into it.

const SETTLED_MS = 150;
const NAME = ".st-key-reader input";
const SKIPPED = "[data-testid=stDataFrame], [aria-hidden=true]"; // have keys of their own, or are for nobody

/** The element that scrolls a table sideways: itself or a parent close by; null if all of it is seen. */
function scrollerOf(table) {
  for (let one = table, steps = 0; one && steps < 4; one = one.parentElement, steps++) {
    if (one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX)) return one;
  }
  return null;
}

/** What a screen reader calls it: its columns. */
function nameOf(table) {
  const heads = [...table.querySelectorAll("thead th")].map((one) => one.textContent.trim()).filter(Boolean);
  return `Table that scrolls sideways${heads.length ? `: ${heads.join(", ")}` : ""}`;
}

const given = new Set();

function reach() {
  const now = new Set();
  for (const table of document.querySelectorAll("table")) {
    const scroller = table.closest(SKIPPED) ? null : scrollerOf(table);
    if (!scroller || (scroller.hasAttribute("tabindex") && !given.has(scroller))) continue;
    now.add(scroller);
    if (given.has(scroller)) continue;
    scroller.tabIndex = 0;
    scroller.setAttribute("aria-label", nameOf(table));
    if (scroller !== table) scroller.setAttribute("role", "region");
    given.add(scroller);
  }
  for (const one of [...given].filter((one) => !now.has(one))) {
    for (const name of ["tabindex", "aria-label", "role"]) one.removeAttribute(name);
    given.delete(one);
  }
}

/** At once, as the next key may come soon; Streamlit takes a name whose field is left. */
function leave({ key, isComposing, target }) {
  if (key === "Enter" && !isComposing && target.matches?.(NAME)) target.blur();
}

export default function () {
  let due;
  const later = () => {
    clearTimeout(due);
    due = setTimeout(reach, SETTLED_MS);
  };
  const changes = new MutationObserver(later);
  changes.observe(document.body, { childList: true, subtree: true });
  addEventListener("resize", later);
  document.addEventListener("keydown", leave);
  later();
  return () => {
    clearTimeout(due);
    changes.disconnect();
    removeEventListener("resize", later);
    document.removeEventListener("keydown", leave);
  };
}
