/** One failure mode as a program. */
import { answerAsProgram } from "../namespaced-program.ts";
import { failureModes } from "./table.ts";

await answerAsProgram(async ({ name }: { readonly name: string }) => {
  const mode = failureModes.find((candidate) => candidate.name === name);
  if (mode === undefined) throw new Error(`there is no failure mode ${name}`);
  return mode.run();
});
