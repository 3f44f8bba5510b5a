/* The prompt as one surface: the text that is edited is the text that is coloured.

   A text field without a ground of its own lies exactly over lines that carry the colours, so typing, undo,
   dictation and input methods are the browser's own. Colours belong to the text that was run (`base`) and
   move with what of it still stands; what is new is marked as changed and has no colour. Reports drafts and
   orders to `act`; knows no score but the map it is given. */

const DRAFT_MS = 700;

class EditorPanel {
  constructor(panel, act) {
    this.panel = panel;
    this.act = act;
    this.box = panel.querySelector(".sv-box");
    this.lines = panel.querySelector(".sv-lines");
    this.scroll = panel.querySelector(".sv-scroll");
    this.aside = panel.querySelector(".sv-aside");
    this.run = panel.querySelector(".sv-run");
    this.stop = panel.querySelector(".sv-stop");
    this.count = panel.querySelector(".sv-count");
    this.notice = panel.querySelector(".sv-notice");
    this.around = [panel.querySelector(".sv-before"), panel.querySelector(".sv-after")];
    this.rows = [];
    this.pieces = [];
    this.base = { text: "", marks: [], parts: 0 };
    this.box.addEventListener("input", () => this.typed());
    this.box.addEventListener("change", () => this.keep());
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      if (!this.run.disabled) this.order("run");
    });
    this.run.addEventListener("click", () => this.order("run"));
    this.stop.addEventListener("click", () => act.send("stop"));
    this.notice.addEventListener("click", (event) => {
      const what = event.target.closest("button")?.dataset.what;
      if (what === "unhide") this.replaceAll(this.withoutHidden());
      else if (what) this.order(what);
    });
    this.scroll.addEventListener("pointermove", (event) => {
      if (!event.buttons) act.inspect(this.partUnder(event));
    });
    this.scroll.addEventListener("pointerleave", () => act.inspect(null));
    this.lines.addEventListener("click", (event) => {
      const row = event.target.closest(".sv-line");
      const part = row && this.rows.find((one) => one.element === row)?.homes[0];
      if (part !== undefined && part !== null) act.pick(part);
    });
  }

  /* What the person sees under the pointer, below the text field that lies over it. */
  partUnder(event) {
    const found = document
      .elementsFromPoint(event.clientX, event.clientY)
      .find((one) => one.dataset?.segment && this.panel.contains(one));
    return found && this.counted[Number(found.dataset.segment)] ? Number(found.dataset.segment) : null;
  }

  /* The text as it will be sent: with the line breaks that it came with. */
  text() {
    return this.crlf ? this.box.value.replaceAll("\n", "\r\n") : this.box.value;
  }

  order(what) {
    clearTimeout(this.timer);
    this.told = this.box.value;
    this.act.send(what, { text: this.text(), key: this.key });
  }

  typed() {
    this.render();
    this.store();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), DRAFT_MS);
  }

  keep() {
    clearTimeout(this.timer);
    if (this.told === this.box.value) return;
    this.told = this.box.value;
    this.act.draft({ key: this.key, text: this.text() });
  }

  withoutHidden() {
    const text = this.box.value;
    let [kept, at] = ["", 0];
    for (const [start, stop] of hiddenIn(text)) {
      kept += text.slice(at, start);
      at = stop;
    }
    return kept + text.slice(at);
  }

  /* Replaces the whole text in one step that Undo takes back. */
  replaceAll(text) {
    this.box.focus({ preventScroll: true });
    this.box.select();
    if (!document.execCommand("insertText", false, text)) this.box.value = text;
    this.typed();
  }

  /* A draft is kept in this browser until it is run, so that neither a refresh nor a page left in haste loses it.
     `told` is what Python knew of it last. */
  store() {
    try {
      const name = `whence draft ${this.key}`;
      if (this.box.value === plainBreaks(this.given.kept)) sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, JSON.stringify({ text: this.box.value, told: this.told }));
    } catch {
      this.unkept = true; // a browser without storage keeps no draft
    }
  }

  forget() {
    try {
      sessionStorage.removeItem(`whence draft ${this.key}`);
    } catch {
      this.unkept = true;
    }
  }

  /* The draft that this browser has and Python does not: Python starts afresh, or knows an earlier one. */
  stored(given) {
    try {
      const found = JSON.parse(sessionStorage.getItem(`whence draft ${given.key}`));
      return found && (given.fresh || found.told === plainBreaks(given.text)) ? found.text : null;
    } catch {
      return null;
    }
  }

  build(given, prompt, words) {
    this.given = given;
    this.words = words;
    this.panel.querySelector("h3").textContent = given.title;
    this.prompt = prompt;
    const another = this.key !== given.key;
    const same = this.box.value === plainBreaks(given.text);
    if (another && same && this.key) this.forget(); // it was run, and is a version now
    this.key = given.key;
    if (another && !same) {
      this.crlf = /\r\n/.test(given.text) && !/(^|[^\r])\n/.test(given.text);
      this.box.value = given.text;
      this.scroll.scrollTop = 0;
    }
    if (another) this.told = this.box.value;
    const draft = another ? this.stored(given) : null;
    if (!given.stale || (another && !same)) this.setBase();
    if (draft !== null && draft !== this.box.value) {
      this.box.value = draft;
      this.keep();
    }
    this.render();
    this.foot();
  }

  /* Where each part of the prompt stands in the text that was run; parts outside it stand around it, to read. */
  setBase() {
    const { prompt, given } = this;
    const id = prompt?.texts.length ? `${prompt.id} ${given.span}` : `none ${given.kept}`;
    if (this.base.id === id) return;
    const whole = prompt?.texts.length ? prompt.texts.join("") : given.kept;
    const [from, to] = prompt?.texts.length ? given.span : [0, whole.length];
    const text = whole.slice(from, to);
    const marks = [];
    const texts = prompt?.texts ?? [];
    let at = 0;
    texts.forEach((words, part) => {
      const [start, stop] = [Math.max(at, from) - from, Math.min(at + words.length, to) - from];
      if (start < stop) marks.push({ start: plainOffset(text, start), stop: plainOffset(text, stop), part });
      at += words.length;
    });
    this.counted = prompt?.keep ?? [];
    this.base = { id, text: plainBreaks(text), marks, parts: texts.length };
    this.outer(texts, from, to);
    this.rows = [];
    this.lines.replaceChildren();
    this.lines.style.counterReset = `line ${given.first - 1}`;
    this.levels = new Int8Array(texts.length);
    this.shares = new Float64Array(texts.length).fill(Number.NaN);
    this.pieces = Array.from({ length: texts.length }, () => new Set());
    for (const place of this.around) {
      for (const piece of place.children) this.ink(Number(piece.dataset.segment), piece);
    }
    this.painted = null;
    this.edited = undefined;
  }

  /* Template words and earlier turns of a chat: coloured like the rest, edited elsewhere. */
  outer(texts, from, to) {
    const pieces = [[], []];
    let at = 0;
    texts.forEach((text, part) => {
      const className = this.counted[part] ? "sv-seg" : "sv-seg sv-template";
      if (at < from) pieces[0].push(segmentElement(text.slice(0, from - at), part, className));
      if (at + text.length > to) pieces[1].push(segmentElement(text.slice(Math.max(0, to - at)), part, className));
      at += text.length;
    });
    this.around.forEach((place, i) => {
      place.replaceChildren(...pieces[i]);
      place.hidden = !pieces[i].some((one) => one.textContent.trim());
    });
  }

  /* Lines whose words or colours' places changed are made anew; all others stay as they are, so that a key press
     costs as much as the line it is in. */
  render() {
    const made = matchLines(this.base.text, this.box.value);
    for (const line of made) {
      line.key = `${line.changed ? 1 : 0}${line.gone}${line.goneAfter ?? ""}|${line.kept.join(";")}|${line.text}`;
    }
    let head = 0;
    while (head < made.length && this.rows[head]?.key === made[head].key) head += 1;
    let tail = 0;
    const most = Math.min(made.length, this.rows.length) - head;
    while (tail < most && this.rows.at(-1 - tail).key === made.at(-1 - tail).key) tail += 1;
    const old = this.rows.splice(head, this.rows.length - head - tail);
    const after = this.rows[head]?.element ?? null;
    for (const row of old) {
      row.element.remove();
      for (const [part, piece] of row.ink) this.pieces[part].delete(piece);
    }
    const fresh = made.slice(head, made.length - tail).map((line) => this.row(line));
    const flock = document.createDocumentFragment();
    flock.append(...fresh.map((row) => row.element));
    this.lines.insertBefore(flock, after);
    this.rows.splice(head, 0, ...fresh);
    const edited = made.some((line) => line.changed || line.gone || line.goneAfter);
    if (!fresh.length && !old.length && this.edited === edited) return;
    this.edited = edited;
    this.settleHomes();
    for (const row of fresh) for (const [part, piece] of row.ink) this.ink(part, piece);
    this.foot();
    if (this.painted) this.gutter(this.painted[0]);
  }

  /* Which parts begin on which line: there stands their share. */
  settleHomes() {
    const seen = new Set();
    for (const row of this.rows) {
      row.homes = [];
      for (const part of row.parts) {
        if (seen.has(part)) continue;
        seen.add(part);
        row.homes.push(part);
      }
    }
  }

  /* The pieces of a line, as [start, stop, part or null]: where parts of the text that was run still stand. */
  cut(line) {
    const { marks } = this.base;
    const pieces = [];
    let at = 0;
    for (const [from, start, length] of line.kept) {
      if (start > at) pieces.push([at, start, null]);
      at = start;
      let [low, high] = [0, marks.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (marks[middle].stop <= from) low = middle + 1;
        else high = middle;
      }
      for (let i = low; marks[i] && marks[i].start < from + length; i += 1) {
        const begin = Math.max(marks[i].start, from) - from + start;
        const end = Math.min(marks[i].stop, from + length) - from + start;
        if (begin > at) pieces.push([at, begin, null]);
        if (end > begin) pieces.push([begin, end, marks[i].part]);
        at = end;
      }
    }
    if (at < line.text.length) pieces.push([at, line.text.length, null]);
    return pieces;
  }

  row(line) {
    const element = make("div", "sv-line");
    const ran = this.base.parts > 0; // before the first run nothing is a change
    element.classList.toggle("sv-changed", ran && line.changed);
    element.classList.toggle("sv-gone", ran && Boolean(line.gone || line.goneAfter));
    element.classList.toggle("sv-gone-after", ran && Boolean(line.goneAfter && !line.gone));
    const bar = make("span", "sv-gutter");
    const fill = make("i");
    bar.append(fill);
    const share = make("span", "sv-percent");
    const words = make("div", "sv-words");
    words.dir = "auto";
    const ink = [];
    const parts = [];
    for (const [start, stop, part] of this.cut(line)) {
      const piece = make("span", part === null ? "" : this.counted[part] ? "sv-seg" : "sv-seg sv-template");
      const text = line.text.slice(start, stop);
      this.fillIn(piece, text);
      if (part !== null) {
        piece.dataset.segment = String(part);
        piece.dataset.score = "";
        ink.push([part, piece]);
        if (text.trim()) parts.push(part);
      }
      words.append(piece);
    }
    if (!line.text) words.append(make("br"));
    element.append(bar, share, words);
    return { key: line.key, element, fill, share, ink, parts, homes: [], level: null };
  }

  fillIn(piece, text) {
    const hidden = hiddenIn(text);
    if (!hidden.length) {
      piece.textContent = text;
      return;
    }
    let at = 0;
    for (const [start, stop, name] of hidden) {
      const sign = make("span", "sv-hidden", text.slice(start, stop));
      sign.title = name;
      piece.append(text.slice(at, start), sign);
      at = stop;
    }
    piece.append(text.slice(at));
  }

  /* The pieces of one part, in the order of the text; the first is where it is pointed at. */
  shown(part) {
    const all = [...(this.pieces?.[part] ?? [])];
    return all.sort((one, other) => (one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  }

  /* Takes a new piece into its part, with the part's present colour and score. */
  ink(part, piece) {
    this.pieces[part].add(piece);
    const share = this.shares[part];
    const ink = piece.ink ?? piece;
    ink.dataset.level = String(this.levels[part]);
    piece.dataset.score = Number.isNaN(share) ? "" : String(Number(share.toFixed(6)));
  }

  paint(map, gamma, signed) {
    if (!map && this.painted?.[0] && this.given.stale) return; // the old colours stay, grey, until new ones come
    if (map && this.prompt && this.base.id !== `${this.prompt.id} ${this.given.span}`) {
      this.setBase();
      this.render();
    }
    this.painted = [map, gamma, signed];
    if (map && map.shares.length !== this.base.parts) return;
    for (let i = 0; i < this.base.parts; i += 1) {
      const share = map && this.counted[i] ? map.shares[i] : NaN;
      let level = 0;
      if (map && this.counted[i] && map.coloured) {
        level = Math.round(STEPS * Math.min(1, Math.abs(share) / map.scaleTop) ** gamma);
        if (signed && share < 0) level = -level;
      }
      if (Object.is(share, this.shares[i]) && level === this.levels[i]) continue;
      this.shares[i] = share;
      this.levels[i] = level;
      for (const piece of this.pieces[i]) this.ink(i, piece);
    }
    this.gutter(map);
  }

  /* Each line's share stands where its part begins; several parts on a line add. */
  gutter(map) {
    const sums = this.rows.map((row) =>
      map && row.homes.length ? row.homes.reduce((sum, part) => sum + (map.shares[part] || 0), 0) : NaN,
    );
    const top = Math.max(...sums.map((sum) => Math.abs(sum) || 0), map?.scaleTop ?? 0) || 1;
    const strength = map?.strength ?? Math.abs;
    const strongest = Math.max(...sums.map((sum) => strength(sum) || 0));
    this.rows.forEach((row, i) => {
      const sum = sums[i];
      const key = `${sum} ${top} ${strongest} ${map?.decisive}`;
      if (row.level === key) return;
      row.level = key;
      const size = Math.abs(sum) || 0;
      row.fill.style.width = size ? `${Math.max(2, (100 * size) / top)}%` : "0";
      row.fill.className = sum < 0 ? "sv-against" : "";
      row.share.dataset.say = size >= 0.045 ? percent(sum) : "";
      row.element.classList.toggle("sv-top", Boolean(map?.decisive) && strongest > 0 && strength(sum) === strongest);
    });
  }

  tell() {
    const ranked = this.rows.map((row, i) => [
      i,
      Math.abs(row.homes.reduce((sum, part) => sum + (this.shares[part] || 0), 0)),
    ]);
    const words = ranked
      .filter(([, size]) => size >= 0.045)
      .sort((a, b) => b[1] - a[1])
      .slice(0, 5)
      .map(([i, size]) => `${this.words.line} ${i + this.given.first}: ${percent(size)}`)
      .join(", ");
    this.box.setAttribute("aria-description", words);
  }

  foot() {
    const { given, words } = this;
    if (!given) return;
    const edited = this.box.value !== plainBreaks(given.asked ?? given.ran);
    this.panel.classList.toggle("sv-stale", Boolean(given.stale));
    this.run.firstElementChild.textContent = words.run;
    this.box.readOnly = Boolean(given.locked);
    this.run.hidden = Boolean(given.locked) || (given.running && !edited);
    this.run.disabled = Boolean(given.locked);
    this.stop.hidden = !given.running;
    this.stop.textContent = words.stop;
    this.stop.disabled = Boolean(given.stopping);
    const { ran, tokens, limit } = given;
    let count = "";
    if (given.progress) count = given.progress;
    else if (tokens && !edited)
      count = limit
        ? words.tokensOf.replace("{n}", tokens.toLocaleString("en")).replace("{limit}", limit.toLocaleString("en"))
        : words.tokens.replace("{n}", tokens.toLocaleString("en"));
    else if (this.box.value) {
      const rate = tokens && ran ? tokens / ran.length : 0.25;
      const about = Math.max(1, Math.round(rate * this.box.value.length)).toLocaleString("en");
      count = (limit ? words.tokensOf : words.tokens)
        .replace("{n}", `≈ ${about}`)
        .replace("{limit}", limit?.toLocaleString("en"));
    }
    this.count.textContent = count;
    this.aside.textContent = edited && given.ran && !given.running ? words.edited : given.locked || given.hint;
    this.aside.classList.toggle("sv-warm", Boolean(edited && given.ran && !given.running));
    this.notices();
  }

  notices() {
    const hidden = hiddenIn(this.box.value);
    const key = `${hidden.length} ${hidden[0]?.[2]} ${JSON.stringify(this.given.notices)}`;
    if (key === this.noticeKey) return;
    this.noticeKey = key;
    const parts = [];
    const say = (text, what, label) => {
      const line = make("span", "", text);
      if (what) {
        const button = make("button", "sv-link", label);
        button.type = "button";
        button.dataset.what = what;
        line.append(" ", button);
      }
      parts.push(line);
    };
    if (hidden.length)
      say(
        `${hidden.length === 1 ? this.words.hiddenOne : this.words.hidden.replace("{n}", hidden.length)} (${[...new Set(hidden.map((one) => one[2]))].slice(0, 3).join("; ")}).`,
        this.given.locked ? "" : "unhide",
        this.words.unhide,
      );
    for (const [text, what, label] of this.given.notices) say(text, what, label);
    this.notice.replaceChildren(...parts);
    this.notice.hidden = !parts.length;
  }

  mark(index) {
    if (index === this.markedPart && index === null) return;
    this.markedPart = index;
    for (const piece of this.marked ?? []) piece.classList.remove("sv-marked");
    this.marked = index === null ? [] : [...(this.pieces?.[index] ?? [])];
    for (const piece of this.marked) piece.classList.add("sv-marked");
  }

  /* What the tip beside a part stands at. */
  at(part) {
    const piece = this.shown(part)[0];
    return piece && { ink: piece.ink ?? piece, getBoundingClientRect: () => piece.getBoundingClientRect() };
  }

  /* Puts the caret on a part, selected, so that typing replaces it. */
  edit(part) {
    const piece = this.shown(part).find((one) => this.lines.contains(one));
    const row = this.rows.findIndex((one) => one.element.contains(piece));
    if (row < 0) return;
    const before = this.rows
      .slice(0, row)
      .reduce((sum, one) => sum + one.element.lastElementChild.textContent.length + 1, 0);
    const line = this.rows[row].element.lastElementChild.textContent;
    const own = this.shown(part).filter((one) => this.rows[row].element.contains(one));
    const start = before + line.indexOf(own[0].textContent);
    this.box.focus({ preventScroll: true });
    this.box.setSelectionRange(start, start + own.map((one) => one.textContent).join("").length);
    this.reveal(part);
  }

  reveal(index) {
    const piece = this.shown(index)[0];
    if (!piece) return;
    const box = piece.getBoundingClientRect();
    const frame = this.scroll.getBoundingClientRect();
    if (box.top >= frame.top && Math.min(box.bottom, box.top + frame.height / 2) <= frame.bottom) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.scroll.scrollTo({
      top: this.scroll.scrollTop + box.top - frame.top - frame.height / 3,
      behavior: calm ? "auto" : "smooth",
    });
  }
}
