// The charts of Explore: buttons that look like bars and cells. One tab stop a chart, arrow keys within it.
// What they show is made in xlite/data/eda/charts.py; all text is set as text, never as HTML.

const make = (name, kind, text) => {
  const element = document.createElement(name)
  element.className = kind
  if (text !== undefined) element.textContent = text
  return element
}

const idOf = (mark) => JSON.stringify([mark.field, mark.value])

// What is read out is in the button and not to be seen; what is seen is not read out. A name of its own
// would have to repeat what is seen word for word.
function button(mark, kind, pick, ...seen) {
  const made = make("button", `${kind} tone-${mark.tone}`)
  made.type = "button"
  made.title = mark.say
  made.setAttribute("aria-pressed", String(mark.chosen))
  made.style.setProperty("--size", mark.size)
  made.dataset.id = idOf(mark)
  made.onclick = () => pick(mark)
  seen.forEach((one) => one.setAttribute("aria-hidden", "true"))
  made.append(make("span", "say", mark.say), ...seen)
  return made
}

function bar(mark, pick, kind = "bar", ...before) {
  return button(mark, kind, pick, ...before, make("span", "fill"), make("span", "text", mark.text))
}

const draw = {
  bars(chart, pick) {
    return chart.rows.map((row) => bar(row.marks[0], pick, "bar line", make("span", "label", row.label)))
  },
  sides(chart, pick) {
    return chart.rows.map((row) => {
      const line = make("div", "side-row")
      const [left, right] = row.marks
      const middle = button(row.label_mark, "label-button", pick, make("span", "", row.label))
      line.append(left ? bar(left, pick, "bar left") : make("span", ""), middle)
      if (right) line.append(bar(right, pick))
      return line
    })
  },
  pairs(chart, pick) {
    return chart.rows.map((row) => {
      const line = make("div", "pair-row")
      const bars = make("div", "pair")
      bars.append(...row.marks.map((mark) => bar(mark, pick, "bar thin")))
      line.append(make("span", "label", row.label), bars)
      return line
    })
  },
  matrix(chart, pick) {
    const grid = make("div", "matrix")
    grid.append(make("span", ""))
    for (const name of chart.groups) {
      const head = make("span", "column")
      head.append(make("span", "", name))
      grid.append(head)
    }
    for (const row of chart.rows) {
      grid.append(make("span", "label", row.label))
      grid.append(...row.marks.map((mark) => button(mark, "cell", pick, make("span", "", mark.text))))
    }
    const box = make("div", "scroll")
    box.append(grid)
    return [box]
  },
}

// Arrow keys go from mark to mark; only the chosen one, or else the first, can be reached by Tab.
function rove(group, wide) {
  const all = [...group.querySelectorAll("button")]
  const first = all.find((one) => one.getAttribute("aria-pressed") === "true") ?? all[0]
  all.forEach((one) => (one.tabIndex = one === first ? 0 : -1))
  group.onkeydown = (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide }
    const at = all.indexOf(event.target)
    let next = at + (steps[event.key] ?? 0)
    if (event.key === "Home") next = 0
    if (event.key === "End") next = all.length - 1
    if (at < 0 || next === at || !all[next]) return
    event.preventDefault()
    all[at].tabIndex = -1
    all[next].tabIndex = 0
    all[next].focus()
  }
}

// The mark that was chosen last. Streamlit may put these charts elsewhere on the page before they are drawn anew,
// as a chip came above them: the browser then takes the focus off its mark, and nothing has it.
let picked

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const place = parentElement.querySelector(".charts")
  const scope = parentElement.activeElement === undefined ? document : parentElement
  const nowhere = !document.activeElement || document.activeElement === document.body
  const held = place.contains(scope.activeElement) ? scope.activeElement.dataset.id : nowhere ? picked : undefined
  const scrolled = [...place.querySelectorAll(".scroll")].map((box) => box.scrollLeft)
  const pick = (mark) => {
    picked = idOf(mark)
    setTriggerValue("pick", [mark.field, mark.value])
  }
  place.replaceChildren(
    ...data.charts.map((chart) => {
      const group = make("section", `chart ${chart.kind}`)
      group.setAttribute("role", "group")
      group.setAttribute("aria-label", chart.title)
      const head = make("div", "title", chart.title)
      if (["sides", "pairs"].includes(chart.kind)) {
        const tones = chart.kind === "sides" ? ["first", "second"] : ["second", "first"]
        chart.groups.forEach((name, at) => head.append(make("span", `key tone-${tones[at]}`, name)))
      }
      const marks = chart.rows.flatMap((row) => [...row.marks, ...(row.label_mark ? [row.label_mark] : [])])
      if (marks.some((mark) => mark.chosen)) group.classList.add("has-choice")
      group.append(head)
      if (chart.note) group.append(make("div", "note", chart.note))
      group.append(...draw[chart.kind](chart, pick))
      const wide = { matrix: chart.groups.length, sides: chart.groups.length + 1, pairs: chart.groups.length }
      rove(group, wide[chart.kind] ?? 1)
      return group
    }),
  )
  place.querySelectorAll(".scroll").forEach((box, at) => (box.scrollLeft = scrolled[at] ?? 0))
  if (held) [...place.querySelectorAll("button")].find((one) => one.dataset.id === held)?.focus({ preventScroll: true })
}
