/* node run_scores.js scores.js < cases: asks the file itself, [{ packed, keep, selection, bars }, …], for each map.
   Writes a list: null where the browser would ask Python, else what the view paints from. */

const { readFileSync } = require("node:fs");

const source = readFileSync(process.argv[2], "utf8");
const { Scores, strongest, rankOf } = new Function(`${source}\nreturn { Scores, strongest, rankOf };`)();

const told = JSON.parse(readFileSync(0, "utf8")).map(({ packed, keep, selection, bars }) => {
  const map = new Scores(packed, keep).map(selection);
  if (!map) return null;
  const order = strongest(map, keep, bars);
  return {
    ...map,
    values: [...map.values],
    shares: [...map.shares],
    order,
    ranks: order.map((part) => rankOf(map, keep, part)),
  };
});
process.stdout.write(JSON.stringify(told));
