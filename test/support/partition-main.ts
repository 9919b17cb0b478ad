/** A partition as a program. */
import { answerAsProgram } from "./own-network.ts";
import { runPartition } from "./partition.ts";

await answerAsProgram(runPartition);
