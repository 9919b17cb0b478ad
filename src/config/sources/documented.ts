/**
 * Every variable that the agent reads, pilot-agent's and its own.
 */
import { variables } from "./environment.ts";
import { variableOf } from "../../schema/own-variables.ts";
import { ownFlags } from "./own-flags.ts";

const names: ReadonlySet<string> = new Set([
  ...Object.keys(variables),
  ...Object.keys(ownFlags).map(variableOf),
]);

/** True for one of them: what it holds is no secret. */
export function isDocumented(name: string): boolean {
  return names.has(name);
}
