/**
 * Every target, for as many inputs as asked: `npm run fuzz -- --target=http-status --inputs=1000000 --seed=7`.
 *
 * Prints one JSON line per target. A target ends at the first input that breaks a rule, which is kept in `corpus/`.
 */
import { parseArgs } from "node:util";
import { runTarget } from "./run-target.ts";
import { targetNames } from "./target-names.ts";
import { findTarget } from "./targets.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true },
    inputs: { type: "string", default: "1000000" },
    seconds: { type: "string", default: "Infinity" },
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
  },
});

const wanted = values.target ?? targetNames;
const unknown = wanted.filter((name) => !targetNames.some((known) => known === name));
if (unknown.length > 0)
  throw new Error(`there is no target ${unknown.join(", ")}: choose from ${targetNames.join(", ")}`);

for (const name of targetNames.filter((known) => wanted.includes(known))) {
  try {
    const result = await runTarget(await findTarget(name), {
      seed: Number(values.seed),
      first: Number(values.first),
      inputs: Number(values.inputs),
      seconds: Number(values.seconds),
    });
    console.log(JSON.stringify(result));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
