/** One failure mode as a program: its name as its argument, as JSON; FailureFigures as its last line. */
import { failureModes } from "./table.ts";

const { name } = JSON.parse(process.argv[2] ?? "{}") as { readonly name: string };
const mode = failureModes.find((candidate) => candidate.name === name);
if (mode === undefined) throw new Error(`there is no failure mode ${name}`);
process.stdout.write(`${JSON.stringify(await mode.run())}\n`);
