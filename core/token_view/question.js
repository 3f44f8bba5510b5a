/* The headline: the question with the chosen words in it, and its answer in one sentence.

   The sentence comes from the same decision as the colours (`map.decisive`); what was measured for just this
   choice of words is said by Python (`given.measured`) and goes before what the map alone can say. */

class QuestionPanel {
  constructor(panel, act) {
    this.panel = panel;
    this.lead = panel.querySelector(".sv-lead-words");
    this.chosen = panel.querySelector(".sv-chosen");
    this.mark = panel.querySelector(".sv-mark");
    this.sentence = panel.querySelector(".sv-sentence");
    this.tag = panel.querySelector(".sv-tag");
    this.finer = panel.querySelector(".sv-finer");
    this.finer.addEventListener("click", () => act.send("finer"));
  }

  paint(look, chosen, prompt, given, words) {
    const asked = look.ready && chosen;
    this.lead.textContent = asked ? words.why : given.lead;
    this.chosen.textContent = asked ? chosen : "";
    this.chosen.hidden = this.mark.hidden = !asked;
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
