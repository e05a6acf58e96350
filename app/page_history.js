// Back reaches each page as it was left, and each state of it that somebody chose by a click on a chart or a film.
// Streamlit adds an entry to the browser's history for each change of the address that its server asks for, also if
// it completes the address of a page that has just opened; and when a link is followed, it takes the page's state out
// of its address before it adds the next page's.

(() => {
  const push = history.pushState.bind(history);
  let held = location.href; // as the page opened or was reached, or was when a link was followed; null while somebody works on it

  const act = ({ target }) => {
    held = target.closest?.("a[href]") ? location.href : null;
  };

  for (const kind of ["click", "keydown"]) document.addEventListener(kind, act, true);
  addEventListener("popstate", () => (held = location.href), true);
  history.pushState = (state, title, url) => {
    const stays = new URL(url, location.href).pathname === location.pathname;
    if (held !== null) history.replaceState(state, title, stays ? url : held);
    if (held === null || !stays) push(state, title, url);
    if (!stays) held = location.href;
  };
})();
