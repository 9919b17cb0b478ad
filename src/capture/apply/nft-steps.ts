/** Steps that put tables of our own into nftables, or take them out. */
import type { CapturePlan } from "../plan/plan.ts";
import { nftRemoval, nftScript, nftTables } from "../render/nft.ts";
import { problemOf } from "./rule-steps.ts";
import type { Step } from "./steps.ts";
import type { RunTool } from "./tool.ts";

/** Our tables as nft lists them; undefined where nft cannot say. */
export async function listNftTables(run: RunTool): Promise<readonly string[] | undefined> {
  const tables = await run("nft", ["list", "tables"]);
  if (tables.kind !== "done") return undefined;
  const held = nftTables.filter((name) => tables.lines.includes(`table ${name}`));
  const lists = await Promise.all(
    held.map((name) => run("nft", ["-s", "list", "table", ...name.split(" ")])),
  );
  return lists.flatMap((list) => (list.kind === "done" ? list.lines : []));
}

/**
 * One step: every table at once. Undefined takes them out.
 *
 * @param before what `listNftTables` gave
 */
export function nftStep(run: RunTool, plan: CapturePlan | undefined, before: readonly string[]): Step {
  const load = (script: string): Promise<string | undefined> =>
    run("nft", ["-f", "-"], script).then((result) => problemOf(result, "nft"));
  return {
    what: "nftables' own tables",
    make: () => load(plan === undefined ? nftRemoval() : nftScript(plan)),
    takeBack: () => load(`${nftRemoval()}${before.join("\n")}\n`),
  };
}
