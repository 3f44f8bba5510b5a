/* What the answer came from: the strongest parts with the map's share and, in a column of its own, the effect
   that was measured; above them what was found out last. Figures of the two never share a column. */

class CausesPanel {
  constructor(panel, act) {
    this.panel = panel;
    this.act = act;
    this.list = panel.querySelector(".sv-bars");
    this.flat = panel.querySelector(".sv-flat");
    this.cards = panel.querySelector(".sv-cards");
    this.aside = panel.querySelector(".sv-aside");
    this.whole = panel.querySelector(".sv-whole");
    this.rest = panel.querySelector(".sv-rest");
    this.measure = panel.querySelector(".sv-measure");
    this.all = false;
    const part = (event) => {
      const row = event.target.closest("[data-part]");
      return row ? Number(row.dataset.part) : null;
    };
    this.list.addEventListener("pointerover", (event) => act.inspect(part(event), true));
    this.list.addEventListener("pointerleave", () => act.inspect(null));
    this.list.addEventListener("focusin", (event) => act.inspect(part(event), true));
    this.list.addEventListener("focusout", () => act.inspect(null));
    panel.addEventListener("click", (event) => {
      const button = event.target.closest("[data-action]");
      const at = part(event);
      if (button) this.press(button, at);
      else if (at !== null && event.target.closest(".sv-go")) act.pick(at, true);
    });
    this.own = panel.querySelector(".sv-own");
    this.own.addEventListener("click", () => act.own(true));
    this.rest.addEventListener("click", () => {
      this.all = !this.all;
      act.again();
    });
  }

  press(button, at) {
    const { action, value } = button.dataset;
    if (action === "edit-here") this.act.edit(at ?? Number(value));
    else this.act.send(action, value ? { part: at, value } : at === null ? {} : { part: at });
  }

  /* Measured parts first, the largest fall first; then the others by share, as the map has them. */
  order(map, keep, effects) {
    const order = strongest(map, keep, map.shares.length);
    const fall = (part) => (effects[part]?.state === "done" ? effects[part].nats : Infinity);
    return order
      .map((part, i) => [part, i])
      .sort((a, b) => fall(a[0]) - fall(b[0]) || a[1] - b[1])
      .map(([part]) => part);
  }

  paint(look, prompt, given, options, words, picked) {
    const { map, ready, rows } = look;
    this.panel.querySelector("header h3").textContent = given.title;
    this.aside.textContent = map ? words.shareColumn : "";
    this.panel.querySelector(".sv-column").textContent = map ? words.effect : "";
    const mine = given.effects && String(given.effects.rows) === String(rows) ? given.effects.parts : {};
    this.flat.hidden = ready && (!map || map.decisive);
    this.flat.textContent = !ready ? words.afterwards : map && !map.coloured ? words.lone : words.none;
    this.panel.classList.toggle("sv-pale", Boolean(map) && !map.decisive);
    this.panel.classList.toggle("sv-stale", Boolean(given.stale));
    this.card(given.cards, words);
    this.locked = given.locked ?? [];
    if (!map) {
      if (!given.stale) this.fill([], null, prompt, mine, options, words, picked);
      this.feet(null, [], [], given, words);
      return;
    }
    const order = this.order(map, prompt.keep, mine);
    const count = this.all ? order.length : Math.min(order.length, options.bars);
    const shown = order.slice(0, count);
    if (picked !== null && !shown.includes(picked) && prompt.keep[picked]) shown.push(picked);
    this.fill(shown, map, prompt, mine, options, words, picked);
    this.feet(map, order, shown, given, words); // its lines take room from the list: what fits is asked with them there
    this.feet(map, order, this.fitting(shown, picked), given, words);
  }

  /* The list ends at a whole row: one that its panel would cut is left to "… more". */
  fitting(shown, picked) {
    this.list.classList.toggle("sv-every", this.all);
    const rows = [...this.list.children];
    for (const row of rows) row.hidden = false;
    if (this.all) return shown;
    const bottom = this.list.getBoundingClientRect().bottom + 1;
    const cut = rows.findIndex((row, i) => i && shown[i] !== picked && row.getBoundingClientRect().bottom > bottom);
    if (cut < 0) return shown;
    rows.slice(cut).forEach((row, i) => {
      row.hidden = shown[cut + i] !== picked;
    });
    return shown.filter((part, i) => i < cut || part === picked);
  }

  fill(shown, map, prompt, effects, _options, words, picked) {
    while (this.list.children.length > shown.length) this.list.lastElementChild.remove();
    while (this.list.children.length < shown.length) this.list.append(this.row(words));
    shown.forEach((part, at) => {
      const row = this.list.children[at];
      const share = map.shares[part];
      row.dataset.part = String(part);
      row.classList.toggle("sv-picked", part === picked);
      row.classList.toggle("sv-open", part === (picked ?? shown[0]));
      row.classList.toggle("sv-against", share < 0);
      row.percent.textContent = prompt.unmeasured.includes(part) ? "–" : percent(share);
      row.bar.style.width = `${Math.max(1, (100 * Math.abs(share)) / (map.scaleTop || 1))}%`;
      row.name.textContent = prompt.names[part];
      const text = snippet(prompt.texts, part);
      row.words.replaceChildren(...text.map(([tag, piece]) => make(tag, "", piece)));
      row.go.setAttribute("aria-pressed", String(part === picked));
      this.effect(row, effects[part], words, map.coloured);
      const locked = this.locked.includes(part);
      row.lock.textContent = locked ? words.unlock : words.lock;
      row.lock.setAttribute("aria-pressed", String(locked));
    });
  }

  row(words) {
    const row = make("li", "sv-cause");
    row.go = make("button", "sv-go");
    row.go.type = "button";
    row.percent = make("span", "sv-percent");
    row.words = make("span", "sv-snippet");
    row.words.dir = "auto";
    row.name = make("span", "sv-name");
    const track = make("span", "sv-track");
    row.bar = make("i");
    track.append(row.bar);
    row.go.append(row.percent, " ", row.name, " ", row.words, track);
    row.effect = make("span", "sv-effect");
    const actions = make("div", "sv-actions");
    for (const [action, label] of [
      ["remove", words.takeOut],
      ["edit-here", words.edit],
      ["lock", words.lock],
    ])
      actions.append(this.button(action, label));
    row.lock = actions.lastElementChild;
    row.append(row.go, row.effect, actions);
    return row;
  }

  button(action, label, value, kind = "sv-act") {
    const button = make("button", kind, label);
    button.type = "button";
    button.dataset.action = action;
    if (value !== undefined) button.dataset.value = value;
    return button;
  }

  effect(row, effect, words, measurable) {
    const key = JSON.stringify([effect ?? null, measurable]);
    if (row.told === key) return;
    row.told = key;
    row.effect.dataset.kind = effect?.kind ?? "";
    if (effect)
      row.effect.replaceChildren(
        make("span", "", effect.text),
        ...(effect.more ? [make("small", "", effect.more)] : []),
      );
    else if (measurable) row.effect.replaceChildren(this.button("remove", words.measure, undefined, "sv-link"));
    else row.effect.replaceChildren();
  }

  feet(map, order, shown, given, words) {
    const left = map ? order.filter((part) => !shown.includes(part)) : [];
    const share = left.reduce((sum, part) => sum + Math.abs(map.shares[part]), 0);
    this.rest.hidden = !left.length && !this.all;
    this.rest.textContent = left.length
      ? words.rest.replace("{n}", left.length).replace("{share}", percent(share))
      : words.fewer;
    this.whole.firstElementChild.textContent = map ? (given.whole ?? "") : "";
    this.whole.hidden = !map || !given.whole;
    this.own.hidden = !given.own.shares.some((one) => one);
    this.own.textContent = this.act.own() ? words.notOwn : words.own;
    this.own.setAttribute("aria-pressed", String(this.act.own()));
    const key = JSON.stringify([map ? given.measure : [], words.measure]);
    if (key !== this.measureKey) {
      this.measureKey = key;
      const list = map ? given.measure : [];
      this.measure.replaceChildren(
        ...list.map(([action, label, value, title]) => {
          const button = this.button(action, label, value);
          if (title) button.title = title;
          return button;
        }),
      );
    }
  }

  card(cards, _words) {
    const key = JSON.stringify(cards);
    if (key === this.cardKey) return;
    this.cardKey = key;
    this.cards.replaceChildren(
      ...cards.map((card) => {
        const box = make("article", "sv-card");
        box.append(make("h3", "sv-title", card.title));
        if (card.runs.length) {
          const text = make("p", "sv-runs");
          text.dir = "auto";
          text.append(
            ...card.runs.map(([tag, words_]) => (tag ? make(tag, "", words_) : document.createTextNode(words_))),
          );
          box.append(text);
        }
        for (const line of card.lines) box.append(make("p", "sv-small", line));
        if (card.moves.length) {
          const list = make("ul", "sv-moves");
          list.append(
            ...card.moves.map(([name, before, after, text]) => {
              const item = make("li");
              const words_ = make("span", "sv-snippet", text);
              words_.dir = "auto";
              item.append(make("b", "", `${before} → ${after}`), make("span", "sv-name", name), words_);
              return item;
            }),
          );
          box.append(list);
        }
        if (card.actions.length) {
          const bar = make("div", "sv-card-actions");
          bar.append(...card.actions.map(([action, label, value]) => this.button(action, label, value)));
          box.append(bar);
        }
        return box;
      }),
    );
    this.cards.hidden = !cards.length;
  }
}
