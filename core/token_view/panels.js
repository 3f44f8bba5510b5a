/* The panels: build text once, then only change what a new map changes. All data enters through textContent.

   A segment whose text begins or ends with a line break is painted on an inner span, because the empty piece
   of an inline box after a break would show as a stray blot. Colours are rules of one style sheet per view,
   chosen by `data-level`, so theme, style and strength change without touching the segments. */

const STEPS = 32;
const MOST_LISTED = 320;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function segmentElement(text, index, className) {
  const outer = make("span", className);
  outer.dataset.segment = String(index);
  outer.dataset.score = "";
  const core = text.replace(/^[\r\n]+/, "");
  const lead = text.slice(0, text.length - core.length);
  const body = core.replace(/[\r\n]\s*$/, "");
  if (!text.trim() && /[\r\n]/.test(text)) outer.classList.add("sv-break");
  if (body === text || !body) {
    outer.textContent = text;
    outer.ink = outer;
    return outer;
  }
  outer.ink = make("span", "sv-ink", body);
  outer.append(lead, outer.ink, core.slice(body.length));
  return outer;
}

/* The space that joins an answer to its prompt belongs to its text, but would show as an indent. */
function closeUp(element) {
  const first = element.ink.firstChild;
  const words = first?.textContent.trimStart();
  if (!words || words === first.textContent) return;
  const lead = make("span", "sv-lead", first.textContent.slice(0, first.textContent.length - words.length));
  first.textContent = words;
  element.ink.prepend(lead);
}

function isDark(root) {
  const shown = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  const probe = make("span");
  probe.style.color = shown;
  root.append(probe);
  const [r, g, b] = (getComputedStyle(probe).color.match(/[\d.]+/g) || [255, 255, 255]).map(Number);
  probe.remove();
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
}

/* One rule a level: background (highlight only) and an underline whose thickness says the strength again. */
function sheetText(scope, look, palette, signed) {
  const rules = [];
  const ramp = palette.ramp;
  for (let level = signed ? -STEPS : 0; level <= STEPS; level += 1) {
    const size = Math.abs(level) / STEPS;
    const colour = signed ? ramp[level + STEPS] : ramp[level];
    const line = palette.underline[level < 0 ? 1 : 0];
    const thick = look === "underline" ? Math.round(size * 10) / 2 : Math.floor(size * 3.01);
    const parts = [];
    if (look === "highlight" && level) parts.push(`background-color:${colour}`);
    if (thick) {
      parts.push(`text-decoration:underline ${line} ${thick}px`);
      if (level < 0) parts.push("text-decoration-style:dashed");
    }
    if (parts.length) rules.push(`${scope} [data-level="${level}"]{${parts.join(";")}}`);
  }
  return rules.join("\n");
}

class PromptPanel {
  constructor(panel, act) {
    this.panel = panel;
    this.text = panel.querySelector(".sv-text");
    this.aside = panel.querySelector(".sv-aside");
    this.ruler = panel.querySelector(".sv-ruler");
    this.segments = [];
    this.text.addEventListener("pointerover", (event) => act.inspect(this.indexAt(event)));
    this.text.addEventListener("pointerleave", () => act.inspect(null));
    this.text.addEventListener("click", (event) => {
      const index = this.indexAt(event);
      if (index !== null && getSelection().isCollapsed) act.pick(index);
    });
  }

  /* What stands in place of a prompt that is not there. */
  hint(words) {
    if (!words === !this.note) return;
    this.note?.remove();
    this.note = words ? make("span", "sv-empty", words) : null;
    if (this.note) this.text.append(this.note);
  }

  indexAt(event) {
    const found = event.target.closest("[data-segment]");
    return found && this.keep[Number(found.dataset.segment)] ? Number(found.dataset.segment) : null;
  }

  build(prompt) {
    this.keep = prompt.keep;
    if (this.id === prompt.id) return;
    this.id = prompt.id;
    this.segments = prompt.texts.map((text, i) =>
      segmentElement(text, i, prompt.keep[i] ? "sv-seg" : "sv-seg sv-template"),
    );
    this.text.replaceChildren(...this.segments);
    this.note = null;
    this.text.scrollTop = 0;
    this.levels = new Int8Array(this.segments.length);
    this.shares = new Float64Array(this.segments.length).fill(NaN);
    this.marked = null;
    this.ruler.replaceChildren();
    this.ruler.hidden = true;
  }

  paint(map, gamma, signed) {
    for (let i = 0; i < this.segments.length; i += 1) {
      const share = map && this.keep[i] ? map.shares[i] : NaN;
      if (Object.is(share, this.shares[i])) continue;
      this.shares[i] = share;
      this.segments[i].dataset.score = Number.isNaN(share) ? "" : String(Number(share.toFixed(6)));
    }
    this.level(map, gamma, signed);
  }

  /* Scores in words for screen readers, once a selection rests; in a very long text the larger ones only. */
  tell() {
    const all = this.segments.length <= 600;
    this.segments.forEach((element, i) => {
      const told = all || Math.abs(this.shares[i]) >= 0.01;
      const words = told && !Number.isNaN(this.shares[i]) ? ` (${percent(this.shares[i])}) ` : undefined;
      if (words === element.dataset.say) return;
      if (words) element.dataset.say = words;
      else delete element.dataset.say;
    });
  }

  level(map, gamma, signed) {
    for (let i = 0; i < this.segments.length; i += 1) {
      let level = 0;
      if (map?.coloured && this.keep[i]) {
        level = Math.round(STEPS * Math.min(1, Math.abs(map.shares[i]) / map.scaleTop) ** gamma);
        if (signed && map.shares[i] < 0) level = -level;
      }
      if (level === this.levels[i]) continue;
      this.levels[i] = level;
      this.segments[i].ink.dataset.level = String(level);
    }
  }

  /* Small marks beside a text that is longer than its panel: where the strong parts are. */
  drawRuler(order) {
    const full = this.text.scrollHeight;
    const long = full > this.text.clientHeight + 4;
    this.ruler.hidden = !long;
    this.text.tabIndex = long ? 0 : -1; // what scrolls is reached by keyboard
    if (!long) return;
    const top = this.text.getBoundingClientRect().top - this.text.scrollTop;
    const marks = order
      .filter((i) => Math.abs(this.levels[i]) >= 6)
      .map((i) => {
        const box = this.segments[i].ink.getBoundingClientRect();
        return [((box.top - top) / full) * 100, (box.height / full) * 100, this.levels[i]];
      });
    this.ruler.replaceChildren(
      ...marks.map(([start, height, level]) => {
        const mark = make("i");
        mark.style.top = `${start}%`;
        mark.style.height = `max(3px, ${height}%)`;
        mark.style.opacity = String(0.35 + (0.65 * Math.abs(level)) / STEPS);
        mark.className = level < 0 ? "sv-against" : "";
        return mark;
      }),
    );
  }

  mark(index) {
    if (this.marked !== null && this.segments[this.marked]) this.segments[this.marked].classList.remove("sv-marked");
    this.marked = index;
    if (index !== null && this.segments[index]) this.segments[index].classList.add("sv-marked");
  }

  /* Scrolls this panel only, never the page, and only when the part is out of sight. */
  reveal(index) {
    if (!this.segments[index]) return;
    const box = this.segments[index].ink.getBoundingClientRect();
    const frame = this.text.getBoundingClientRect();
    if (box.top >= frame.top && Math.min(box.bottom, box.top + frame.height / 2) <= frame.bottom) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const top = this.text.scrollTop + box.top - frame.top - frame.height / 3;
    this.text.scrollTo({ top, behavior: calm ? "auto" : "smooth" });
  }
}

/* A part's words are whole; of a passage its beginning and end, and how much stands between them. */
function shortened(words) {
  if (words.length <= MOST_LISTED) return words;
  const [head, tail] = [words.slice(0, 0.6 * MOST_LISTED), words.slice(-0.3 * MOST_LISTED)];
  const left = (words.length - head.length - tail.length).toLocaleString("en");
  return `${head.replace(/\s+\S*$/, "")} … ${left} more characters … ${tail.replace(/^\S*\s+/, "")}`;
}

/* A part on one line, as [tag, text] pieces; a short one with the rest of its line around it, set apart. */
function snippet(texts, part) {
  const flat = (words) => words.replace(/\s+/g, " ");
  const own = shortened(flat(texts[part]).trim()) || "(blank)";
  if (own.length > 14) return [["b", own]];
  let [before, after] = ["", texts[part].match(/\s*$/)[0]];
  for (let i = part - 1; i >= 0 && before.length < 40 && !/[\r\n]/.test(before); i -= 1) before = texts[i] + before;
  for (let i = part + 1; i < texts.length && after.length < 60 && !/[\r\n]/.test(after); i += 1) after += texts[i];
  /* The space that belongs to the part is shown beside it, so that no two words run together. */
  if (/^\s/.test(texts[part]) && before && !/\s$/.test(before)) before += " ";
  before = flat(before.split(/[\r\n]/).at(-1));
  after = flat(after.split(/[\r\n]/)[0]);
  const lead = before.length > 24 ? `…${before.slice(-22)}` : before;
  return [
    ["i", lead],
    ["b", own],
    ["i", after.slice(0, 60)],
  ];
}

class BarsPanel {
  constructor(panel, act) {
    this.panel = panel;
    this.list = panel.querySelector(".sv-bars");
    this.flat = panel.querySelector(".sv-flat");
    this.aside = panel.querySelector(".sv-aside");
    this.list.addEventListener("pointerover", (event) => act.inspect(this.partAt(event), true));
    this.list.addEventListener("pointerleave", () => act.inspect(null));
    this.list.addEventListener("focusin", (event) => act.inspect(this.partAt(event), true));
    this.list.addEventListener("focusout", () => act.inspect(null));
    this.list.addEventListener("click", (event) => {
      const part = this.partAt(event);
      const action = event.target.closest("[data-action]");
      if (part === null) return;
      if (action) act.send(action.dataset.action, part);
      else act.pick(part, true);
    });
  }

  partAt(event) {
    const row = event.target.closest("[data-part]");
    return row ? Number(row.dataset.part) : null;
  }

  row(actions) {
    const row = make("li", "sv-bar");
    const go = make("button", "sv-go");
    go.type = "button";
    row.percent = make("span", "sv-percent");
    row.fill = make("i");
    const track = make("span", "sv-track");
    track.append(row.fill);
    row.name = make("span", "sv-name");
    row.snippet = make("span", "sv-snippet");
    row.snippet.dir = "auto";
    go.append(row.percent, track, " ", row.name, " ", row.snippet); // spaces: read as words
    row.append(go);
    if (actions.length) {
      const bar = make("div", "sv-actions");
      for (const [name, label] of actions) {
        const button = make("button", "sv-act", label);
        button.type = "button";
        button.dataset.action = name;
        bar.append(button);
      }
      row.append(bar);
    }
    return row;
  }

  paint(map, order, prompt, options, picked) {
    const key = JSON.stringify(options.actions);
    if (key !== this.actions) {
      this.actions = key;
      this.list.replaceChildren();
    }
    while (this.list.children.length > order.length) this.list.lastElementChild.remove();
    while (this.list.children.length < order.length) this.list.append(this.row(options.actions));
    const longest = Math.max(0, ...order.map((part) => prompt.names[part].length));
    this.list.style.setProperty("--sv-name", `${longest}ch`);
    order.forEach((part, at) => {
      const row = this.list.children[at];
      const share = map.shares[part];
      row.dataset.part = String(part);
      row.classList.toggle("sv-picked", part === picked);
      row.classList.toggle("sv-open", part === (picked ?? order[0]));
      row.classList.toggle("sv-against", share < 0);
      row.percent.textContent = prompt.unmeasured.includes(part) ? "–" : percent(share);
      row.fill.style.width = `${Math.max(1, (100 * Math.abs(share)) / (map.scaleTop || 1))}%`;
      row.name.textContent = prompt.names[part];
      const text = snippet(prompt.texts, part);
      row.snippet.replaceChildren(...text.map(([tag, words]) => make(tag, "", words)));
      const direction = options.direction ? (share < 0 ? ", against it" : ", for it") : "";
      const said = [row.percent, row.name, row.snippet].map((piece) => piece.textContent);
      row.firstElementChild.setAttribute("aria-label", `${said.join(" ")}${direction}`);
      row.firstElementChild.setAttribute("aria-pressed", String(part === picked));
    });
  }
}
