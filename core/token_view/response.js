/* The response as buttons: hover, click, shift-click, Ctrl-click, drag and keyboard choose what is explained.

   Reports to `act.hover(indices | null)` while looking and `act.select(indices)` when chosen. Knows no scores. */

function span(a, b) {
  const [low, high] = a < b ? [a, b] : [b, a];
  return Array.from({ length: high - low + 1 }, (_, i) => low + i);
}

/* A button that shows and hides `what`. */
function unfolder(label, what, open = false) {
  what.hidden = !open;
  const more = make("button", "sv-unfold", label);
  more.type = "button";
  more.setAttribute("aria-expanded", String(open));
  more.addEventListener("click", () => {
    what.hidden = !what.hidden;
    more.setAttribute("aria-expanded", String(!what.hidden));
  });
  return more;
}

class ResponsePanel {
  constructor(panel, act) {
    this.panel = panel;
    this.act = act;
    this.text = panel.querySelector(".sv-text");
    this.aside = panel.querySelector(".sv-aside");
    this.foot = panel.querySelector("footer");
    this.segments = [];
    this.selection = [];
    this.anchor = null;
    this.drag = null;
    const on = (name, handler) => this.text.addEventListener(name, handler);
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", () => this.cancel());
    on("pointerleave", () => this.drag === null && this.hover(null));
    on("click", (event) => this.click(event));
    on("keydown", (event) => this.key(event));
    on("focusin", (event) => this.focused(event));
    on("focusout", () => this.drag === null && act.hover(null));
    on("copy", (event) => this.copy(event));
  }

  build(response, selection, hint) {
    const streaming = response.stream !== null;
    const writing = streaming && response.writing;
    this.aside.textContent = streaming || !response.texts.length ? "" : hint;
    this.panel.setAttribute("aria-busy", String(writing));
    this.foot.hidden = !response.note;
    this.foot.textContent = response.note;
    if (streaming || !response.texts.length) {
      if (this.id !== null || !this.flow) {
        this.flow = make("span", "sv-flow");
        this.thought = null;
        this.text.replaceChildren(this.flow);
        this.segments = [];
        this.id = null;
      }
      this.think(streaming ? response : {});
      const shown = streaming ? response.stream.trimStart() : response.empty;
      if (this.flow.textContent !== shown) this.flow.textContent = shown;
      this.flow.className = writing ? "sv-flow sv-caret" : streaming ? "sv-flow" : "sv-flow sv-empty";
      if (writing) this.text.scrollTop = this.text.scrollHeight;
      return;
    }
    if (this.id !== response.id) {
      this.id = response.id;
      this.flow = null;
      this.over = null;
      this.choosable = response.keep;
      this.segments = response.texts.map((text, i) => {
        const element = segmentElement(text, i, response.keep[i] ? "sv-seg sv-choice" : "sv-seg sv-template");
        if (!response.keep[i]) return element;
        element.setAttribute("role", "button");
        element.setAttribute("aria-pressed", "false");
        element.tabIndex = -1;
        return element;
      });
      if (this.segments.length) closeUp(this.segments[0]);
      this.text.replaceChildren(...this.segments);
      this.fold(response);
      this.foldThinking(response, selection);
      this.text.scrollTop = 0;
      this.selection = [];
    }
    this.show(selection);
    const changed = JSON.stringify([response.id, response.changed ?? []]);
    if (changed === this.changed) return;
    this.changed = changed;
    paintChanged(this.text, response.changed);
  }

  /* What goes on past the answer (the next example) is folded away behind a button. */
  fold({ tail, folded }) {
    if (tail === null || tail === undefined || tail >= this.segments.length) return;
    const rest = make("span", "sv-tail");
    rest.append(...this.segments.slice(tail));
    this.text.append(" ", unfolder(folded, rest), rest);
  }

  /* What the model thought stands before its answer, folded unless something of it is chosen. */
  foldThinking({ head, thinking }, selection) {
    if (!head) return;
    const thought = make("span", "sv-thinking");
    thought.append(...this.segments.slice(0, head));
    this.text.prepend(
      unfolder(
        thinking,
        thought,
        selection.some((i) => i < head),
      ),
      thought,
    );
    if (head < this.segments.length) closeUp(this.segments[head]);
  }

  /* The same while the answer is being written: text alone. */
  think({ thought, thinking }) {
    if (!thought) {
      if (this.thought) this.text.replaceChildren(this.flow);
      this.thought = null;
      return;
    }
    if (!this.thought) {
      const text = make("span", "sv-thinking");
      this.thought = { text, more: unfolder(thinking, text) };
      this.text.prepend(this.thought.more, text);
    }
    if (this.thought.more.textContent !== thinking) this.thought.more.textContent = thinking;
    if (this.thought.text.textContent !== thought) this.thought.text.textContent = thought;
  }

  show(selection) {
    const on = new Set(selection);
    this.selection = selection;
    this.segments.forEach((element, i) => {
      if (!this.choosable[i]) return;
      const pressed = String(on.has(i));
      if (element.getAttribute("aria-pressed") !== pressed) element.setAttribute("aria-pressed", pressed);
    });
    this.rove(selection.length ? selection[0] : this.choosable.indexOf(true));
  }

  /* What the answer's own earlier parts had of the influence: coloured like the prompt, where asked for. */
  colour(shares, scaleTop, gamma, signed) {
    this.segments.forEach((element, i) => {
      const share = shares?.[i] ?? 0;
      let level = Math.round(STEPS * Math.min(1, Math.abs(share) / scaleTop) ** gamma);
      if (signed && share < 0) level = -level;
      if (!shares && element.ink.dataset.level === undefined) return;
      if (shares) element.ink.dataset.level = String(level);
      else delete element.ink.dataset.level;
      element.dataset.score = shares && share ? String(Number(share.toFixed(6))) : "";
      element.title = shares && share ? percent(share) : "";
    });
  }

  rove(index) {
    if (this.roving !== undefined && this.segments[this.roving]) this.segments[this.roving].tabIndex = -1;
    this.roving = index;
    if (this.segments[index]) this.segments[index].tabIndex = 0;
  }

  indexAt(target) {
    const found = target?.closest?.("[role=button][data-segment]");
    return found && this.text.contains(found) ? Number(found.dataset.segment) : null;
  }

  range(from, to) {
    return span(from, to).filter((i) => this.choosable[i]);
  }

  down(event) {
    const index = this.indexAt(event.target);
    if (index === null || event.button !== 0) return;
    const toggle = event.ctrlKey || event.metaKey;
    const from = event.shiftKey ? (this.anchor ?? this.act.selection()[0] ?? index) : index;
    this.drag = { from, to: index, toggle, alone: !toggle && !event.shiftKey };
    if (!event.shiftKey) this.anchor = index;
    this.rove(index);
    if (event.pointerType !== "touch") this.segments[index].focus({ preventScroll: true });
    if (event.shiftKey) event.preventDefault();
    this.preview(this.dragged());
  }

  dragged() {
    const { from, to, toggle } = this.drag;
    if (!toggle || from !== to) return this.range(from, to);
    const on = new Set(this.act.selection());
    if (!on.delete(to)) on.add(to);
    return [...on].sort((a, b) => a - b);
  }

  move(event) {
    if (this.drag !== null && !(event.buttons & 1)) this.cancel();
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const index = this.indexAt(under);
    if (this.drag === null) return index === this.over ? undefined : this.hover(index);
    if (index === null || index === this.drag.to) return undefined;
    this.drag.to = index;
    return this.preview(this.dragged());
  }

  hover(index) {
    this.over = index;
    this.act.hover(index === null ? null : [index]);
  }

  preview(indices) {
    this.show(indices.length ? indices : this.selection);
    this.act.hover(indices);
  }

  up() {
    if (this.drag === null) return;
    const indices = this.dragged();
    const { alone } = this.drag;
    this.drag = null;
    this.handled = true;
    if (alone && indices.length === 1) this.choose(indices[0]);
    else this.act.select(indices.length ? indices : this.act.selection());
  }

  cancel() {
    if (this.drag === null) return;
    this.drag = null;
    this.hover(null);
    this.show(this.act.selection());
  }

  /* A click without a pointer (assistive technology, scripts); one that pointerup has seen is done. */
  click(event) {
    const index = this.indexAt(event.target);
    const handled = this.handled;
    this.handled = false;
    if (index === null || handled) return;
    this.anchor = index;
    this.choose(index);
  }

  /* One part alone; where it is chosen already, back to what was asked about at first. */
  choose(index) {
    if (String(this.act.selection()) === String([index])) this.act.home();
    else this.act.select([index]);
  }

  step(from, by) {
    for (let i = from + by; i >= 0 && i < this.segments.length; i += by) if (this.choosable[i]) return i;
    return from;
  }

  key(event) {
    const index = this.indexAt(event.target);
    if (index === null) return;
    const last = this.segments.length;
    const moves = {
      ArrowRight: () => this.step(index, 1),
      ArrowDown: () => this.step(index, 1),
      ArrowLeft: () => this.step(index, -1),
      ArrowUp: () => this.step(index, -1),
      Home: () => this.step(-1, 1),
      End: () => this.step(last, -1),
    };
    if (moves[event.key] && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const next = moves[event.key]();
      this.rove(next);
      this.segments[next].focus();
      if (event.shiftKey) {
        this.anchor ??= index;
        this.act.select(this.range(this.anchor, next), true);
      } else this.anchor = next;
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.anchor = index;
      this.choose(index);
    } else if (event.key === "Escape") {
      const home = this.act.selection()[0] ?? index;
      this.rove(home);
      this.segments[home].focus();
      this.act.hover(null);
    }
  }

  focused(event) {
    const index = this.indexAt(event.target);
    if (index === null || this.drag !== null || !event.target.matches(":focus-visible")) return;
    this.act.hover([index]);
  }

  /* Dragging selects the target, so copying gives the target's text. */
  copy(event) {
    if (!getSelection().isCollapsed || !this.selection.length) return;
    event.clipboardData.setData("text/plain", this.selection.map((i) => this.segments[i].textContent).join(""));
    event.preventDefault();
  }
}
