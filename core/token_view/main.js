/* One hub for each `link`: the data, what is selected, hovered, picked; every view of that link paints from it.

   Streamlit calls the default export again whenever the data or the theme changes, with the same elements, so
   a rerun never rebuilds text that stayed the same. Views that share a link (the response at the top of a page,
   the prompt further down) recolour together without asking Python. */

const hubs = new Map();
const views = new WeakMap();
const REST_MS = 60;
const LOOK_MS = 4000;
const SPOKEN = { response: "Response", strongest: "Strongest parts", prompt: "Prompt salience" };
let sheets = 0;

class Hub {
  constructor() {
    this.views = new Set();
    this.selection = [];
    this.home = [];
    this.hovered = null;
    this.picked = null;
    this.response = null;
    this.prompt = null;
    this.scores = null;
    this.revealed = "";
  }

  take(data) {
    if (data.prompt || !this.options) this.options = data.options;
    if (data.response) this.response = data.response;
    if (data.home) this.home = data.home;
    if (data.why) this.why = data.why;
    if (data.prompt) {
      if (this.prompt?.id !== data.prompt.id) this.picked = null;
      this.prompt = data.prompt;
      if (data.scores?.id !== this.scoresId) {
        this.scoresId = data.scores?.id;
        this.scores = data.scores ? new Scores(data.scores, data.prompt.keep) : null;
      }
    }
    if (data.turn !== this.turn) {
      this.turn = data.turn;
      this.selection = data.selected;
      this.hovered = null;
      for (const view of this.views) view.panels.response?.show(this.selection);
    }
  }

  /* What is looked at now: its rows, its map if that is here, and the strongest parts in order. */
  look() {
    const rows = this.hovered ?? this.selection;
    const answered = this.response && this.response.stream === null && this.response.texts.length > 0;
    const ready = Boolean(answered && this.prompt?.texts.length);
    const map = ready && this.scores && rows.length ? this.scores.map(rows) : null;
    const order = map ? strongest(map, this.prompt.keep, this.options.bars) : [];
    if (map && this.picked !== null && !order.includes(this.picked)) order.push(this.picked);
    return { rows, map, order, ready };
  }

  paint() {
    const look = this.look();
    for (const view of this.views) {
      if (view.root.isConnected) view.paint(look);
      else this.views.delete(view);
    }
  }

  hover(indices) {
    if (String(indices) === String(this.hovered)) return;
    this.hovered = indices;
    this.paint();
  }

  select(indices, soon = false) {
    this.hovered = null;
    const changed = String(indices) !== String(this.selection);
    this.selection = indices;
    for (const view of this.views) view.panels.response?.show(indices);
    this.paint();
    clearTimeout(this.timer);
    if (changed || this.unsent) {
      this.unsent = true;
      this.timer = setTimeout(() => this.tell(), soon ? 250 : 0);
    }
  }

  /* What an order is about: the words chosen, and the texts that they and the parts belong to. */
  here() {
    return { rows: this.selection, prompt: this.prompt?.id ?? "", response: this.response?.id ?? "" };
  }

  tell() {
    this.unsent = false;
    const teller = [...this.views].find((view) => view.panels.response) ?? [...this.views][0];
    const value = { indices: this.selection, text: this.response.id, turn: this.turn, at: Date.now() };
    teller?.setStateValue("selection", value);
  }

  /* The words of `rows`; what does not stand together is parted by an ellipsis. */
  text(rows, most = 60) {
    const pieces = rows.map((i, at) => (at && rows[at - 1] !== i - 1 ? " … " : "") + (this.response.texts[i] ?? ""));
    const words = pieces.join("").trim().replace(/\s+/g, " ");
    if (words.length <= most) return words;
    return `${words.slice(0, Math.ceil(most * 0.7))}… ${words.slice(-Math.floor(most * 0.25))}`;
  }
}

class View {
  constructor(root, hub) {
    this.root = root;
    this.hub = hub;
    sheets += 1;
    this.scope = `sv-${sheets}`;
    root.classList.add(this.scope);
    this.sheet = make("style");
    root.append(this.sheet);
    this.tip = root.querySelector(".sv-tip");
    this.status = root.querySelector(".sv-status");
    this.panels = {};
    this.tour = new Tour(root);
    this.grid = root.querySelector(".sv-grid");
    this.sections = {};
    for (const name of ["question", "response", "strongest", "prompt", "editor", "causes"]) {
      const section = root.querySelector(`.sv-${name}`);
      section.hidden = false;
      section.remove();
      this.sections[name] = section;
    }
  }

  update(data) {
    const { options } = data;
    const dark = isDark(this.root);
    const palette = options.palette[dark ? "dark" : "light"];
    this.words = dark ? options.words.dark : options.words.light;
    const sheetKey = [options.style, options.signed, dark, data.options.show].join();
    this.root.dataset.theme = dark ? "dark" : "light";
    if (sheetKey !== this.sheetKey) {
      this.sheetKey = sheetKey;
      this.sheet.textContent = sheetText(
        `.${this.scope} :is(.sv-prompt, .sv-editor, .sv-response)`,
        options.style,
        palette,
        options.signed,
      );
      this.root.style.setProperty("--sv-for", palette.underline[0]);
      this.root.style.setProperty("--sv-against", palette.underline[1]);
      this.root.style.setProperty("--sv-muted", palette.muted);
      const stops = palette.ramp.filter((_, i) => i % 4 === 0).join(",");
      this.root.style.setProperty("--sv-ramp", `linear-gradient(90deg, ${stops})`);
    }
    this.root.style.setProperty("--sv-height", options.height ? `${options.height}px` : "auto");
    this.root.dataset.show = options.show.join(" ");
    this.ensure(options.show);
    for (const [name, spoken] of Object.entries(SPOKEN)) {
      this.sections[name].setAttribute("aria-label", options.of ? `${spoken} of ${options.of}` : spoken);
    }
    this.panels.response?.build(this.hub.response, this.hub.selection, this.words.hint);
    if (this.hub.prompt) this.panels.prompt?.build(this.hub.prompt);
    if (this.hub.why) this.panels.editor?.build(this.hub.why.editor, this.hub.prompt, this.words);
  }

  /* Panels of the wished kinds, in order. They reach the hub through this view, whose link may change. */
  ensure(show) {
    const parts = {
      inspect: (part, mark = false) => this.inspect(part, mark),
      pick: (part, reveal = false) => this.pick(part, reveal),
      send: (action, part) => this.setTriggerValue("action", { action, part, text: this.hub.prompt.id }),
    };
    const orders = {
      ...parts,
      send: (order, more = {}) => this.setTriggerValue("order", { ...this.hub.here(), order, at: Date.now(), ...more }),
      draft: (value) => this.setStateValue("draft", value),
      edit: (part) => this.panels.editor?.edit(part),
      again: () => this.hub.paint(),
      own: (turn) => {
        if (turn) {
          this.hub.own = !this.hub.own;
          this.hub.paint();
        }
        return Boolean(this.hub.own);
      },
    };
    const choice = {
      hover: (indices) => this.hub.hover(indices),
      select: (indices, soon) => this.hub.select(indices, soon),
      selection: () => this.hub.selection,
      home: () => this.hub.select(this.hub.home.length ? this.hub.home : this.hub.selection),
    };
    const kinds = {
      question: [QuestionPanel, orders],
      response: [ResponsePanel, choice],
      strongest: [BarsPanel, parts],
      prompt: [PromptPanel, parts],
      editor: [EditorPanel, orders],
      causes: [CausesPanel, orders],
    };
    const names = Object.keys(this.panels);
    if (String(names) === String(show)) return;
    this.panels = Object.fromEntries(
      show.map((name) => {
        const [Kind, act] = kinds[name];
        return [name, this.panels[name] ?? new Kind(this.sections[name], act)];
      }),
    );
    this.grid.replaceChildren(...show.map((name) => this.sections[name]));
  }

  paint(look) {
    const { rows, map, order, ready } = look;
    const { hub } = this;
    const { options } = hub;
    const { prompt, strongest: bars } = this.panels;
    const gamma = 2 ** (1 - 2 * options.strength);
    const waiting = ready && !map && rows.length > 0;
    const peek = hub.hovered !== null;
    const state = !ready
      ? ""
      : !rows.length
        ? this.words.choose
        : map
          ? ""
          : peek
            ? this.words.unknown
            : this.words.computing;
    this.root.classList.toggle("sv-waiting", Boolean(waiting));
    if (prompt && hub.prompt) {
      prompt.paint(map, gamma, options.signed);
      prompt.hint(hub.prompt.texts.length ? "" : this.words.later);
      prompt.mark(hub.picked);
      prompt.aside.textContent = state || (ready ? `${peek ? "preview" : "for"}: “${hub.text(rows)}”` : "");
      this.scale(map, options, ready);
      clearTimeout(this.rest);
      if (!peek) this.rest = setTimeout(() => this.settle(prompt), REST_MS);
    }
    if (bars && hub.prompt) {
      bars.flat.hidden = ready && (!map || map.decisive);
      bars.flat.textContent = ready ? this.words.flat : this.words.afterwards;
      bars.aside.textContent = state || (map ? this.words.share : "");
      bars.panel.classList.toggle("sv-pale", Boolean(map) && !map.decisive);
      bars.paint(map, order, hub.prompt, options, hub.picked);
    }
    if (hub.why) this.answer(look, gamma, peek);
    if (hub.why && look.map && !peek) this.tour.take(hub.why.tour);
    if (!peek) this.say(map, order, rows);
  }

  /* The panels of the page that answers why. */
  answer(look, gamma, peek) {
    const { hub, words } = this;
    const { question, editor, causes, response } = this.panels;
    this.root.classList.toggle("sv-locked", Boolean(hub.why.editor.locked));
    if (editor) {
      editor.paint(look.map, gamma, hub.options.signed);
      editor.mark(hub.picked);
      editor.panel.querySelector("footer .sv-caption").textContent = words.caption;
      clearTimeout(this.rest);
      if (!peek) this.rest = setTimeout(() => this.settle(editor), REST_MS);
    }
    question?.paint(
      look,
      look.ready && look.rows.length ? (most) => hub.text(look.rows, most) : null,
      hub.prompt,
      hub.why.question,
      words,
      peek,
    );
    causes?.paint(look, hub.prompt, hub.why.causes, hub.options, words, hub.picked);
    const { own } = hub.why.causes;
    const shown = hub.own && look.map && String(own.rows) === String(look.rows) ? own.shares : null;
    response?.colour(shown, look.map?.scaleTop ?? 1, gamma, hub.options.signed);
    response?.panel.classList.toggle("sv-stale", Boolean(hub.why.editor.running && hub.response?.stream === null));
  }

  /* Once a selection rests: what may cost a layout. The strongest part is brought into sight one time. */
  settle(prompt) {
    const { rows, map, order } = this.hub.look();
    prompt.tell();
    if (!map || !this.root.isConnected) return;
    prompt.drawRuler?.(order);
    const key = `${this.hub.prompt.id}/${this.hub.response.id}/${rows}`;
    if (this.hub.revealed === key || !order.length) return;
    this.hub.revealed = key;
    prompt.reveal(order[0]);
  }

  scale(map, options, ready) {
    const panel = this.panels.prompt.panel;
    const top = map ? ` ${percent(map.scaleTop)}` : "";
    const upTo = map ? `${this.words.upTo}${top}` : "";
    panel.querySelector("footer").hidden = !ready;
    panel.querySelector(".sv-low").textContent = options.signed ? `${this.words.against}${top}` : this.words.little;
    panel.querySelector(".sv-high").textContent = options.signed
      ? `${this.words.supports}${top}`
      : `${this.words.much}${upTo}`;
    panel.querySelector(".sv-reduced").textContent = map ? options.reduced : "";
    panel.querySelector(".sv-caption").textContent = this.words.caption;
  }

  say(map, order, rows) {
    if (!map || !order.length || !rows.length || !this.hub.prompt) return;
    const { prompt } = this.hub;
    const text = `${this.hub.text(rows)}: ${map.decisive ? `${prompt.names[order[0]]}, ${percent(map.shares[order[0]])}` : this.words.flat}`;
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  /* While something is under way Streamlit looks again a few times a second. On a busy machine its timer is sometimes
     taken away and never set again; then this asks, until nothing is under way any more. */
  watch(looks) {
    clearTimeout(this.watching);
    if (!looks) return;
    this.watching = setTimeout(() => {
      if (!this.root.isConnected) return;
      this.setStateValue("look", Date.now());
      this.watch(true);
    }, LOOK_MS);
  }

  pick(part, reveal) {
    const { hub } = this;
    hub.picked = hub.picked === part ? null : part;
    hub.paint();
    if (reveal) for (const { panels } of hub.views) (panels.prompt ?? panels.editor)?.reveal(part);
  }

  /* The hovered part: outlined in the text, and told in figures beside it. */
  inspect(part, mark) {
    const { hub } = this;
    for (const { panels } of hub.views) {
      (panels.prompt ?? panels.editor)?.mark(part === null || !mark ? hub.picked : part);
    }
    const map = hub.look().map;
    const element = part === null || mark ? null : (this.panels.prompt?.segments[part] ?? this.panels.editor?.at(part));
    this.tip.hidden = !(element && map);
    if (this.tip.hidden) return;
    const { names, keep } = hub.prompt;
    const kept = keep.filter(Boolean).length;
    this.tip.replaceChildren(
      make("strong", "", `${percent(map.shares[part])} ${this.words.influence}`),
      make("span", "", `${names[part]}, number ${rankOf(map, keep, part)} of ${kept} by strength`),
      make("span", "", `${this.words.raw} ${Number(map.values[part].toPrecision(3))} ${hub.options.units}`),
    );
    const box = element.ink.getClientRects()[0] ?? element.getBoundingClientRect();
    const frame = this.root.getBoundingClientRect();
    const left = Math.min(Math.max(0, box.left - frame.left), frame.width - this.tip.offsetWidth);
    const above = box.top - frame.top - this.tip.offsetHeight - 6;
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${above + frame.top < 0 ? box.bottom - frame.top + 6 : above}px`;
  }
}

function salienceText({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".whence-sv");
  if (!data || !root) return undefined;
  if (!hubs.has(data.link)) hubs.set(data.link, new Hub());
  const hub = hubs.get(data.link);
  if (!views.has(root)) views.set(root, new View(root, hub));
  const view = views.get(root);
  view.hub.views.delete(view);
  view.hub = hub;
  view.setStateValue = setStateValue;
  view.setTriggerValue = setTriggerValue;
  hub.views.add(view);
  hub.take(data);
  view.update(data);
  view.watch(Boolean(data.why?.looks));
  hub.paint();
  return () => {
    if (!root.isConnected) view.hub.views.delete(view);
  };
}
