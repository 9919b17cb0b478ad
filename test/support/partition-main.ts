/** A partition as a program. */
import { answerAsProgram } from "./namespaced-program.ts";
import { runPartition } from "./partition.ts";

await answerAsProgram(runPartition);
