/* The headline: the question with the chosen words in it, and its answer in one sentence.

   The sentence comes from the same decision as the colours (`map.decisive`); what was measured for just this
   choice of words is said by Python (`given.measured`) and goes before what the map alone can say. */

const NARROW_HEADLINE = 760; // pixels; below, the chosen words wrap (why.css)

class QuestionPanel {
  constructor(panel, act) {
    this.panel = panel;
    this.headline = panel.querySelector("h2");
    this.frame = panel.querySelector(".sv-answered");
    this.lead = panel.querySelector(".sv-lead-words");
    this.peeking = false;
    this.width = 0;
    new ResizeObserver(([entry]) => {
      this.width = entry.contentRect.width;
    }).observe(panel);
    this.chosen = panel.querySelector(".sv-chosen");
    this.mark = panel.querySelector(".sv-mark");
    this.sentence = panel.querySelector(".sv-sentence");
    this.tag = panel.querySelector(".sv-tag");
    this.finer = panel.querySelector(".sv-finer");
    this.finer.addEventListener("click", () => act.send("finer"));
  }

  /* `chosen` gives the words in at most so many characters. A look in passing (`peek`) never changes a height: what
     is below would leave the pointer. */
  paint(look, chosen, prompt, given, words, peek) {
    const asked = Boolean(look.ready && chosen);
    if (peek !== this.peeking)
      for (const part of [this.headline, this.frame])
        part.style.height = peek ? `${part.getBoundingClientRect().height}px` : "";
    this.peeking = peek;
    this.lead.textContent = asked ? words.why : given.lead;
    this.chosen.textContent = asked ? chosen(this.room()) : "";
    this.chosen.title = asked ? chosen(Infinity) : "";
    this.chosen.hidden = this.mark.hidden = !asked;
    this.headline.classList.toggle("sv-asked", asked);
    const measured = given.measured && String(given.measured.rows) === String(look.rows) ? given.measured : null;
    const pieces = asked ? (measured?.sentence ?? this.told(look, prompt, given, words)) : [["", given.sentence]];
    const key = JSON.stringify(pieces);
    if (key !== this.key) {
      this.key = key;
      this.sentence.replaceChildren(
        ...pieces.map(([tag, text]) => (tag ? make(tag, "", text) : document.createTextNode(text))),
      );
    }
    const tag = asked && look.map ? (measured?.tag ?? (look.map.decisive ? words.unmeasured : "")) : "";
    this.tag.textContent = tag;
    this.tag.hidden = !tag;
    this.tag.dataset.kind = measured?.kind ?? "";
    const lone = asked && look.map && !look.map.coloured && given.finer;
    this.finer.hidden = !lone;
    this.finer.textContent = lone ? given.finer : "";
  }

  /* About how many characters of the chosen words stand on one line; what is wider all the same is cut by style. */
  room() {
    if (!this.width) return 60;
    if (this.width < NARROW_HEADLINE) return 150; // there they wrap
    const size = Math.min(27, 0.026 * this.width);
    return Math.floor((this.width - 9.5 * size) / (0.53 * size));
  }

  told({ map, order }, prompt, _given, words) {
    if (!map) return [["", words.computing]];
    if (!map.coloured) return [["", words.lone]];
    if (!map.decisive) return [["", words.none]];
    const [before, after] = words.mostly.split("{part}");
    return [
      ["", before],
      ["b", prompt.names[order[0]]],
      ["", after.replace("{share}", percent(Math.abs(map.shares[order[0]])))],
    ];
  }
}
