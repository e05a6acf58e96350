"""Contrast of texts, in shadow roots too, as WCAG 2.2 counts it (1.4.3, AA): 4.5, or 3 for large text."""

from playwright.sync_api import Page

_MEASURE = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const parse = (text) => {  // any CSS colour, as r, g, b of 0-255 and alpha of 0-1
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const above = (element) => element.parentElement ?? element.getRootNode().host;
  const shadows = (root) => [...root.querySelectorAll("*")].flatMap(
    ({shadowRoot}) => shadowRoot ? [shadowRoot, ...shadows(shadowRoot)] : []);
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = above(one)) {
      layers.push(parse(getComputedStyle(one).backgroundColor));
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const opacity = (element) => {
    let product = 1;
    for (let one = element; one; one = above(one)) product *= Number(getComputedStyle(one).opacity);
    return product;
  };
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const nodes = [document.body, ...shadows(document)].flatMap((root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    return texts;
  });
  for (const node of nodes) {
    const text = node.textContent.trim(), element = node.parentElement;
    if (!text || !element || !element.checkVisibility({visibilityProperty: true})) continue;
    if (element.closest("svg, script, style, noscript, :disabled, [aria-disabled=true]")) continue;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || opacity(element) === 0) continue;
    const style = getComputedStyle(element), color = parse(style.color), back = behind(element);
    const seen = over([...color.slice(0, 3), color[3] * opacity(element)], back);
    const [light, dark] = [luminance(seen), luminance(back)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return found;
}
"""


def faint_texts(page: Page) -> list[str]:
    """The texts of a page, each with its contrast, that are too faint to read; disabled ones may be."""
    found: list[str] = page.evaluate(_MEASURE)
    return found
