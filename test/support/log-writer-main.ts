/** A program that writes numbered lines to its standard output for a while, and says on its standard error how far it is. */
import { writeSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { StandardStreams } from "../../src/telemetry/standard-streams.ts";

const standard = new StandardStreams();
standard.onLoss((_, lines) => {
  standard.writer("stdout").write(`lost ${lines}\n`);
});
const count = Number(process.argv[2]);
for (let line = 0; line < count; line += 1) {
  standard.writer("stdout").write(`line ${line} ${"x".repeat(200)}\n`);
  if (line % 1_000 === 0) await nextTurn();
}
writeSync(2, "written\n");
process.stdin.resume();
process.stdin.once("data", () => {
  void standard.flush({ stallMs: 10_000, mostMs: 10_000 }).then((isDone) => {
    writeSync(2, `flushed ${isDone} lost ${[...standard.lost()].map(([, lines]) => lines).join()}\n`);
    process.exit();
  });
});
