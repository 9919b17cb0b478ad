/**
 * `npm run bench:capture`: what the init container costs a pod's start, beside what it stands on.
 *
 *     node test/bench/capture/main.ts [--runs=15] [--patienceSeconds=20]
 *
 * Everything runs in a network namespace of its own. Each run waits for a quiet machine, at most `patienceSeconds`. A bare
 * Node.js, and the kernel's programs with the same rules and no Node.js at all, say what is left to win. Processor time is
 * that of the process and of all that it has started, and says more where others work too.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { inOwnNetwork } from "../../support/own-network.ts";
import { type Figure, jsonLine, table } from "../figure.ts";

const { values: flags } = parseArgs({
  options: { runs: { type: "string", default: "15" }, patienceSeconds: { type: "string", default: "20" } },
});
const figures = await inOwnNetwork<readonly Figure[]>({
  sysctls: {},
  program: join(import.meta.dirname, "measure.ts"),
  options: { runs: Number(flags.runs), patienceMs: Number(flags.patienceSeconds) * 1_000 },
});
console.log(table(figures));
for (const figure of figures) console.log(jsonLine(figure));
