/* Words that another answer has not, coloured and underlined without touching the text (CSS Custom Highlight API;
   where a browser has none they stay as they are, and the difference below the answers tells them).

   `changed` is [[start, stop, kind], …] in UTF-16 units of the whole text, kind "new" or "gone". */

const painted = new WeakMap();

function paintChanged(text, changed) {
  if (!globalThis.Highlight || !CSS.highlights) return;
  for (const [name, range] of painted.get(text) ?? []) CSS.highlights.get(name)?.delete(range);
  const made = (changed ?? []).flatMap(([start, stop, kind]) => {
    const range = rangeOf(text, start, stop);
    return range ? [[`whence-${kind}`, range]] : [];
  });
  for (const [name, range] of made) {
    if (!CSS.highlights.has(name)) CSS.highlights.set(name, new Highlight());
    CSS.highlights.get(name).add(range);
  }
  painted.set(text, made);
}

function rangeOf(root, start, stop) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const range = new Range();
  let at = 0;
  let begun = false;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const end = at + node.data.length;
    if (!begun && start < end) {
      range.setStart(node, Math.max(0, start - at));
      begun = true;
    }
    if (begun && stop <= end) {
      range.setEnd(node, stop - at);
      return range;
    }
    at = end;
  }
  return null;
}
