/* Builds the table from data; every text enters through textContent. Called again whenever the data change:
   an equal table is left as it stands, so that what is chosen and focused stays so. */

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const percent = (part) => `${(100 * part).toFixed(3)}%`;

/* Where a value stands on the track, 0 to 1, when nothing stands at `zero`. */
const place = (value, zero) => Math.min(1, Math.max(0, zero + value * (1 - zero)));

function track(bar, series, zero, hatched) {
  const box = make("span", "bt-track");
  if (zero) {
    const line = make("i", "bt-zero");
    line.style.insetInlineStart = percent(zero);
    box.append(line);
  }
  if (bar.value === null) box.classList.add("bt-none");
  else {
    const fill = make("i", "bt-fill");
    const end = place(bar.value, zero);
    fill.style.insetInlineStart = percent(Math.min(zero, end));
    fill.style.width = percent(Math.abs(end - zero));
    fill.style.backgroundColor = `light-dark(${series.light}, ${series.dark})`;
    fill.dataset.hatch = hatched ? series.hatch : "";
    box.append(fill);
  }
  if (bar.low !== null && bar.high !== null) {
    const whisker = make("i", "bt-whisker");
    const [low, high] = [place(bar.low, zero), place(bar.high, zero)];
    whisker.style.insetInlineStart = percent(low);
    whisker.style.width = percent(high - low);
    box.append(whisker);
  }
  if (bar.goal !== null) {
    const goal = make("i", "bt-goal");
    goal.style.insetInlineStart = percent(place(bar.goal, zero));
    box.append(goal);
  }
  return box;
}

function figure(bar, all, zero, named) {
  const series = all[bar.series] ?? all[0];
  const row = make("span", "bt-bar");
  if (bar.note) row.title = bar.note;
  if (all.length > 1) {
    const sign = make("span", "bt-sign", series.sign);
    sign.style.color = `light-dark(${series.light}, ${series.dark})`;
    sign.setAttribute("aria-hidden", "true");
    row.append(sign);
    if (named) row.append(make("span", "bt-spoken", `${series.name}: `));
  }
  row.append(track(bar, series, zero, named), make("span", "bt-text", bar.text));
  if (bar.note) row.append(make("span", "bt-spoken", ` (${bar.note})`));
  return row;
}

const runs = (all) => all.map(([change, text]) => make({ removed: "del", added: "ins" }[change] ?? "span", "", text));

function heading(line) {
  const head = make(line.name ? "button" : "span", "bt-label");
  if (line.name) {
    head.type = "button";
    head.dataset.name = line.name;
  }
  head.dir = "auto";
  if (!line.changes.length) head.textContent = line.label;
  head.append(...runs(line.changes));
  return head;
}

function panel(data, all, zero, named) {
  const section = make("div", "bt-panel");
  if (data.title) section.append(make("h3", "", data.title));
  if (data.note) section.append(make("p", "bt-note", data.note));
  const list = make("ul", "");
  for (const line of data.lines) {
    const item = make("li", "bt-line");
    const words = make("div", "bt-words");
    words.append(heading(line));
    if (line.note) words.append(make("span", "bt-note", line.note));
    const bars = make("div", "bt-bars");
    bars.append(...line.bars.map((bar) => figure(bar, all, zero, named)));
    if (line.came.length) {
      const came = make("span", "bt-came");
      came.dir = "auto";
      came.append(...runs(line.came));
      bars.append(came);
    }
    item.append(words, bars);
    list.append(item);
  }
  section.append(list);
  return section;
}

function legend(all) {
  const box = make("p", "bt-legend");
  for (const { name, sign, light, dark } of all) {
    const mark = make("b", "", sign);
    mark.style.color = `light-dark(${light}, ${dark})`;
    mark.setAttribute("aria-hidden", "true");
    const item = make("span", "");
    item.append(mark, ` ${name}`);
    box.append(item);
  }
  return box;
}

function show(root, picked) {
  for (const head of root.querySelectorAll("button.bt-label")) {
    head.setAttribute("aria-pressed", String(head.dataset.name === picked));
    head.closest(".bt-line").classList.toggle("bt-picked", head.dataset.name === picked);
  }
}

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".whence-bars");
  const drawn = JSON.stringify(data);
  if (root.drawn === drawn) return;
  root.drawn = drawn;
  root.setAttribute("role", "region");
  root.setAttribute("aria-label", data.about);
  const panels = make("div", data.panels.length > 1 ? "bt-panels" : "");
  const named = data.legend && data.series.length > 1;
  panels.append(...data.panels.map((one) => panel(one, data.series, data.zero, named)));
  /* Figures take the same room in every row, so that all tracks are equally long. */
  const widths = data.panels.flatMap((one) => one.lines.flatMap((line) => line.bars.map((bar) => bar.text.length)));
  root.style.setProperty("--bt-text", `${Math.min(26, Math.max(4, ...widths))}ch`);
  root.classList.toggle("bt-short", Math.max(...widths) <= 26);
  root.replaceChildren(...(named ? [legend(data.series)] : []), panels);
  show(root, root.picked);
  root.onclick = (event) => {
    const line = event.target.closest(".bt-line");
    const head = line?.querySelector("button.bt-label");
    if (!head || !getSelection().isCollapsed) return;
    root.picked = root.picked === head.dataset.name ? null : head.dataset.name;
    show(root, root.picked);
    setStateValue("picked", root.picked);
  };
}
