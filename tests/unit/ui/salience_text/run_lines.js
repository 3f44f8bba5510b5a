/* node run_lines.js lines.js < cases: what the file makes of each { old, now } and { text }. */

const { readFileSync } = require("node:fs");

const source = readFileSync(process.argv[2], "utf8");
const { matchLines, hiddenIn } = new Function(`${source}\nreturn { matchLines, hiddenIn };`)();
const told = JSON.parse(readFileSync(0, "utf8")).map((one) =>
  one.text === undefined ? matchLines(one.old, one.now) : hiddenIn(one.text),
);
process.stdout.write(JSON.stringify(told));
