/* What the matrix says about a selection: decode, combine, reduce, share. Knows no element of the page.

   Kinds (made by scores.py): "additive" rows add; "gram" holds inner products of the rows' gradients, so a
   set s scores sqrt(s'Ks) (docs/architecture.md, Salience); "single" is exact for one row only. `data` is laid out
   (rows or row pairs) x width, and column c reads the half-open range starts[c]..stops[c] of the width.
   The files of this folder are joined into one module in the order named in __init__.py. */

function decodeFloats(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}

class Scores {
  constructor(packed, keep) {
    this.kind = packed.kind;
    this.rows = packed.rows;
    this.width = packed.width;
    this.data = packed.data ? decodeFloats(packed.data) : new Float32Array(0);
    this.starts = packed.starts;
    this.stops = packed.stops;
    this.reduce = packed.reduce;
    this.available = packed.available;
    this.exact = packed.exact;
    this.floor = packed.floor;
    this.decisive = packed.decisive;
    this.strength = packed.rank_by === "value" ? (share) => share : Math.abs;
    this.negligible = packed.negligible;
    this.keep = keep;
    this.cache = new Map();
  }

  /* The map of a selection of rows, or null where it cannot be told from what is here. */
  map(selection) {
    const key = selection.join(",");
    if (!this.cache.has(key)) {
      const values = this.values(selection, key);
      if (!values) return null;
      if (this.cache.size > 256) this.cache.clear();
      this.cache.set(key, this.shares(values));
    }
    return this.cache.get(key);
  }

  values(selection, key) {
    const given = this.exact[key];
    if (given) return decodeFloats(given);
    const here = selection.length > 0 && selection.every((row) => row < this.rows && this.available[row]);
    if (!here || (this.kind === "single" && selection.length > 1)) return null;
    return this.reduced(this.kind === "gram" ? this.norms(selection) : this.sums(selection));
  }

  sums(selection) {
    const out = new Float64Array(this.width);
    for (const row of selection) {
      const base = row * this.width;
      for (let i = 0; i < this.width; i += 1) out[i] += this.data[base + i];
    }
    return out;
  }

  norms(selection) {
    const out = new Float64Array(this.width);
    for (let a = 0; a < selection.length; a += 1) {
      for (let b = a; b < selection.length; b += 1) {
        const row = selection[a];
        const pair = row * this.rows - (row * (row - 1)) / 2 + (selection[b] - row);
        const base = pair * this.width;
        const times = a === b ? 1 : 2;
        for (let i = 0; i < this.width; i += 1) out[i] += times * this.data[base + i];
      }
    }
    for (let i = 0; i < this.width; i += 1) out[i] = Math.sqrt(Math.max(0, out[i]));
    return out;
  }

  /* As core/aggregate.py's column_scores: sum, mean, or the strongest (signed) one; empty columns are 0. */
  reduced(wide) {
    const out = new Float64Array(this.starts.length);
    for (let c = 0; c < out.length; c += 1) {
      const [start, stop] = [this.starts[c], this.stops[c]];
      let value = 0;
      for (let i = start; i < stop; i += 1) {
        if (this.reduce !== "max") value += wide[i];
        else if (Math.abs(wide[i]) > Math.abs(value)) value = wide[i];
      }
      out[c] = this.reduce === "mean" && stop > start ? value / (stop - start) : value;
    }
    return out;
  }

  /* Shares of the prompt's total absolute score; what is not kept has none and sets no scale. */
  shares(values) {
    let total = 0;
    for (let c = 0; c < values.length; c += 1) if (this.keep[c]) total += Math.abs(values[c]);
    const shares = new Float64Array(values.length);
    const { strength } = this;
    let [top, leads] = [0, 0];
    for (let c = 0; c < values.length; c += 1) {
      if (!this.keep[c] || !total) continue;
      shares[c] = values[c] / total;
      top = Math.max(top, Math.abs(shares[c]));
      leads = Math.max(leads, strength(shares[c]));
    }
    /* Where scores have a size of their own, a share of next to nothing decides nothing and is drawn pale. */
    const negligible = total ? this.negligible / total : 0;
    const decisive = leads > 0 && leads >= Math.max(this.decisive, negligible);
    /* A lone part cannot stand out from anything, so it has no colour either: words and colour never differ. */
    const coloured = top > 0 && this.keep.filter(Boolean).length > 1;
    const scaleTop = Math.max(top, this.floor, 2 * negligible);
    return { values, shares, strength, top, scaleTop, decisive, coloured };
  }
}

/* The `count` strongest, as the method ranks them; ties keep the order of the text. */
function strongest(map, keep, count) {
  const best = [];
  for (let c = 0; c < map.shares.length; c += 1) {
    const size = map.strength(map.shares[c]);
    if (!keep[c] || !size || (best.length === count && size <= map.strength(map.shares[best[count - 1]]))) continue;
    let at = best.length;
    while (at > 0 && map.strength(map.shares[best[at - 1]]) < size) at -= 1;
    best.splice(at, 0, c);
    if (best.length > count) best.pop();
  }
  return best;
}

function rankOf(map, keep, part) {
  const size = map.strength(map.shares[part]);
  let rank = 1;
  for (let c = 0; c < map.shares.length; c += 1) if (keep[c] && map.strength(map.shares[c]) > size) rank += 1;
  return rank;
}

function percent(share) {
  const size = Math.abs(share) * 100;
  const digits = size >= 9.95 ? String(Math.round(size)) : size >= 0.05 || !size ? size.toFixed(1) : "< 0.1";
  return `${share < 0 ? "−" : ""}${size ? digits : "0"}\u00a0%`;
}
