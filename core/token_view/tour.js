/* The tour: a few steps on the page itself, each one sentence beside the real control, which is lit.

   Begun by itself once in a browser, and again when the page asks (`given.again` counts how often it did). Escape
   ends it, arrows go on and back, and so does any work on the page: it never stands in the way. Knows no text: the
   steps come with the data. */

const TOUR_SEEN = "whence tour";

class Tour {
  constructor(root) {
    this.root = root;
    this.box = null;
    this.at = -1;
    this.onKey = (event) => this.key(event);
    this.onPress = (event) => {
      if (!event.composedPath().includes(this.box)) this.end(); // whoever goes to work needs no tour
    };
  }

  seen() {
    try {
      return localStorage.getItem(TOUR_SEEN);
    } catch {
      return "0"; // A browser that keeps nothing is not bothered each time.
    }
  }

  /* Begins where it is due: on the first visit, or asked for anew. */
  take(given) {
    if (!given?.steps.length) return;
    this.given = given;
    const seen = this.seen();
    if (this.box || (seen !== null && Number(seen) >= given.again)) return;
    if (!this.root.querySelector(given.steps[0].at)) return;
    this.go(0);
  }

  go(step) {
    this.clear();
    const { steps, words } = this.given;
    const target = this.root.querySelector(steps[step]?.at);
    if (!target) {
      this.end();
      return;
    }
    this.at = step;
    this.lit = target;
    target.classList.add("sv-lit");
    this.box = make("div", "sv-tour");
    this.box.setAttribute("role", "dialog");
    this.box.setAttribute("aria-live", "polite");
    this.box.setAttribute("aria-label", words.title);
    const buttons = make("div");
    buttons.append(make("span", "", `${step + 1} / ${steps.length}`));
    const last = step === steps.length - 1;
    if (!last) buttons.append(this.button(words.skip, () => this.end()));
    const next = this.button(last ? words.done : words.next, () => (last ? this.end() : this.go(step + 1)));
    buttons.append(next);
    this.box.append(make("p", "", steps[step].text), buttons);
    this.root.append(this.box);
    document.addEventListener("keydown", this.onKey);
    document.addEventListener("pointerdown", this.onPress, true);
    const rect = target.getBoundingClientRect();
    const [width, height] = [this.box.offsetWidth, this.box.offsetHeight];
    // Room at its left, within the page (the menu stands beside it): what it is about stays in sight.
    const edge = this.root.getBoundingClientRect().left;
    const beside = rect.left - edge > width + 32;
    const below = rect.bottom + 12 + height < innerHeight;
    const inside = Math.max(12, Math.min(rect.top + 12, innerHeight - height - 12));
    const top = below && !beside ? rect.bottom + 12 : inside;
    const left = beside ? rect.left - width - 16 : Math.max(edge, Math.min(rect.left + 16, innerWidth - width - 16));
    this.box.style.top = `${top}px`;
    this.box.style.left = `${left}px`;
    if (step > 0 || this.given.again > 0) next.focus({ preventScroll: true }); // on a first visit nothing is taken over
  }

  button(label, press) {
    const button = make("button", "", label);
    button.type = "button";
    button.addEventListener("click", press);
    return button;
  }

  key(event) {
    if (event.target.closest?.("input, textarea, select, [contenteditable], .sv-choice")) return;
    if (event.key === "Escape") this.end();
    else if (event.key === "ArrowRight" && this.at < this.given.steps.length - 1) this.go(this.at + 1);
    else if (event.key === "ArrowLeft" && this.at > 0) this.go(this.at - 1);
    else return;
    event.preventDefault();
  }

  clear() {
    this.box?.remove();
    this.box = null;
    this.lit?.classList.remove("sv-lit");
    document.removeEventListener("keydown", this.onKey);
    document.removeEventListener("pointerdown", this.onPress, true);
  }

  end() {
    this.clear();
    try {
      localStorage.setItem(TOUR_SEEN, String(this.given.again));
    } catch {
      this.given = null;
    }
  }
}
