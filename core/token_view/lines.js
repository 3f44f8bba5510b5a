/* What of the text that was run still stands in the text as it is edited now, line by line; and what of a
   text cannot be seen. Pure functions; offsets count UTF-16 units, as the browser does. */

const MOST_LINE_PAIRS = 250000;

/* A text field's value has no carriage returns. `plainOffset`: where `offset` of the text as given is in it then. */
function plainBreaks(text) {
  return text.replace(/\r\n?/g, "\n");
}

function plainOffset(text, offset) {
  return text.includes("\r") ? plainBreaks(text.slice(0, offset)).length : offset;
}

/* Longest common subsequence of two lists of lines as pairs of indices, rising. */
function commonLines(a, b) {
  if (!a.length || !b.length || a.length * b.length > MOST_LINE_PAIRS) return [];
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i * width + j] =
        a[i] === b[j]
          ? table[(i + 1) * width + j + 1] + 1
          : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) i += 1;
    else j += 1;
  }
  return pairs;
}

/* The beginning and the end that two lines share, as [from, at, length] within them; none where they differ. */
function commonEnds(old, now) {
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < most - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
  if (2 * (head + tail) < most) return [];
  return [
    [0, 0, head],
    [old.length - tail, now.length - tail, tail],
  ].filter(([, , length]) => length);
}

/* For each line of `now`: where it starts, its text, what of `old` stands in it ([from in old, at in the line,
   length]), whether it was changed, and how many lines of `old` are gone just before it. */
function matchLines(old, now) {
  const [a, b] = [old.split("\n"), now.split("\n")];
  const starts = [0];
  for (const line of a) starts.push(starts.at(-1) + line.length + 1);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const pairs = [
    ...Array.from({ length: head }, (_, i) => [i, i]),
    ...commonLines(a.slice(head, a.length - tail), b.slice(head, b.length - tail)).map(([i, j]) => [
      i + head,
      j + head,
    ]),
    ...Array.from({ length: tail }, (_, i) => [a.length - tail + i, b.length - tail + i]),
    [a.length, b.length],
  ];
  const lines = [];
  let [i, j] = [0, 0];
  for (const [nextOld, nextNow] of pairs) {
    for (; j < nextNow; j += 1) {
      const ends =
        i < nextOld ? commonEnds(a[i], b[j]).map(([from, at, length]) => [from + starts[i], at, length]) : [];
      lines.push({ text: b[j], kept: ends, changed: true, gone: 0 });
      if (i < nextOld) i += 1;
    }
    const gone = nextOld - i;
    if (nextNow < b.length) {
      lines.push({ text: b[nextNow], kept: [[starts[nextOld], 0, b[nextNow].length]], changed: false, gone });
    } else if (gone && lines.length) lines.at(-1).goneAfter = gone;
    [i, j] = [nextOld + 1, nextNow + 1];
  }
  return lines;
}

/* Characters that show nothing but that a model reads. A joiner or selector inside an emoji is part of it. */
const HIDDEN = /\p{Default_Ignorable_Code_Point}|\u2028|\u2029/gu;
const EMOJI =
  /(?:\p{Extended_Pictographic}|[#*0-9]\ufe0f?\u20e3)(?:\ufe0f|\u200d|\p{Emoji_Modifier}|\p{Extended_Pictographic}|[\u{e0020}-\u{e007f}])*/gu;
const HIDDEN_NAMES = {
  "\u00ad": "soft hyphen",
  "\u200b": "zero-width space",
  "\u200c": "zero-width non-joiner",
  "\u200d": "zero-width joiner",
  "\u200e": "left-to-right mark",
  "\u200f": "right-to-left mark",
  "\u2028": "line separator",
  "\u2029": "paragraph separator",
  "\u202a": "left-to-right embedding",
  "\u202b": "right-to-left embedding",
  "\u202c": "end of embedding",
  "\u202d": "left-to-right override",
  "\u202e": "right-to-left override",
  "\u2060": "word joiner",
  "\u2066": "left-to-right isolate",
  "\u2067": "right-to-left isolate",
  "\u2068": "first-strong isolate",
  "\u2069": "end of isolate",
  "\ufeff": "byte order mark",
};

/* [start, stop, name] of each character in `text` that cannot be seen. Joiners inside a word of a script that
   needs them (Persian, Hindi, …) are counted too: they change what a model reads. */
function hiddenIn(text) {
  if (text.search(HIDDEN) < 0) return [];
  const whole = [...text.matchAll(EMOJI)].map((found) => [found.index, found.index + found[0].length]);
  return [...text.matchAll(HIDDEN)]
    .filter(({ index }) => !whole.some(([start, stop]) => index > start && index < stop))
    .map(({ index, 0: sign }) => {
      const code = sign.codePointAt(0);
      const name = HIDDEN_NAMES[sign] ?? (code >= 0xe0000 && code < 0xe0080 ? "tag character" : "hidden character");
      return [index, index + sign.length, `${name}, U+${code.toString(16).toUpperCase().padStart(4, "0")}`];
    });
}
