// Mouse, touch and pen on the panes, as movements in px of the screen: drag, contrast, zoom, hover, leave. A box
// that is drawn is a movement too, and has an end.

const LINE = 16, PAGE = 400; // px that a wheel means by a line and a page
const WHEEL = 0.002; // the zoom of a px of the wheel, as an exponent

const client = (event) => ({ x: event.clientX, y: event.clientY });
const middle = ([first, second]) => [(first.x + second.x) / 2, (first.y + second.y) / 2];
const apart = ([first, second]) => Math.hypot(first.x - second.x, first.y - second.y) || 1;

/**
 * Follows the pointers on a stage. `placeOf(event)` says where in its pane one is: {x, y}; `tool()` what the
 * left button and one finger do, "drag", "contrast" or "draw"; `mayZoom(event)` whether the wheel is the viewer's.
 */
export function follow(stage, placeOf, tool, mayZoom, moves) {
  const down = new Map();
  let doing = null;

  stage.addEventListener("pointerdown", (event) => {
    stage.focus({ preventScroll: true });
    try {
      stage.setPointerCapture(event.pointerId);
    } catch (error) {
      if (error.name !== "NotFoundError") throw error; // it was lifted already
    }
    down.set(event.pointerId, client(event));
    doing = event.button === 2 ? "contrast" : event.button === 1 ? "drag" : tool();
    moves.hover(placeOf(event));
    if (doing === "draw") moves.draw();
    if (event.button === 1) event.preventDefault();
  });

  stage.addEventListener("pointermove", (event) => {
    const last = down.get(event.pointerId), now = client(event);
    if (!last) {
      moves.hover(placeOf(event));
      return;
    }
    const before = [...down.values()];
    down.set(event.pointerId, now);
    if (down.size === 2) {
      const after = [...down.values()], [x0, y0] = middle(before), [x1, y1] = middle(after);
      moves.drag(x1 - x0, y1 - y0);
      const { x, y } = placeOf({ clientX: x1, clientY: y1 });
      moves.zoom(apart(after) / apart(before), x, y);
    } else if (down.size === 1) {
      moves[doing](now.x - last.x, now.y - last.y);
      moves.hover(placeOf(event));
    }
  });

  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, (event) => {
      down.delete(event.pointerId);
      if (doing === "draw" && !down.size) moves.drawn();
    });
  }
  stage.addEventListener("pointerleave", () => down.size || moves.leave());
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("wheel", (event) => {
    if (!mayZoom(event)) return;
    event.preventDefault();
    const px = event.deltaY * [1, LINE, PAGE][event.deltaMode], { x, y } = placeOf(event);
    moves.zoom(Math.exp(-px * WHEEL * (event.ctrlKey ? 5 : 1)), x, y);
  }, { passive: false });
}
