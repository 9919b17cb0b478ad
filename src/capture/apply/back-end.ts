/**
 * Which iptables is the right one: the one whose tables the kernel uses, whatever the files are called.
 */
import type { Family } from "../options/address.ts";
import type { IptablesKind } from "../options/run-settings.ts";
import { tableNames } from "../render/iptables.ts";
import { parseSaved, type SavedRules } from "./saved.ts";
import { heldState, isEmpty } from "./table-state.ts";
import type { RunTool } from "./tool.ts";

/** The programs of one back end. */
export interface Programs {
  readonly save: string;
  readonly restore: string;
}

/** What one back end holds, of one family. */
export interface Held {
  readonly programs: Programs;
  readonly saved: SavedRules;
}

/** One back end that is there, with what the kernel holds in its tables. */
export interface BackEnd {
  readonly kind: IptablesKind;
  readonly held: Readonly<Record<Family, Held | undefined>>;
}

/** Back ends that work here, and why others do not. */
export interface BackEnds {
  readonly found: readonly BackEnd[];
  readonly failures: readonly string[];
}

const prefixes: Readonly<Record<Family, string>> = { ipv4: "iptables", ipv6: "ip6tables" };

/** Reads what each back end's tables hold; reading makes no table. */
export async function readBackEnds(run: RunTool): Promise<BackEnds> {
  const failures: string[] = [];
  const read = async (file: string): Promise<SavedRules | undefined> => {
    const result = await run(file, []);
    if (result.kind === "failed") failures.push(result.message);
    return result.kind === "done" ? parseSaved(result.lines) : undefined;
  };
  const held = async (family: Family, suffix: string): Promise<Held | undefined> => {
    const name = `${prefixes[family]}${suffix}`;
    const programs = { save: `${name}-save`, restore: `${name}-restore` };
    const saved = await read(programs.save);
    return saved === undefined ? undefined : { programs, saved };
  };
  const backEnd = async (kind: IptablesKind, suffix: string): Promise<readonly BackEnd[]> => {
    const [ipv4, ipv6] = await Promise.all([held("ipv4", suffix), held("ipv6", suffix)]);
    return ipv4 === undefined ? [] : [{ kind, held: { ipv4, ipv6 } }];
  };
  const found = (await Promise.all([backEnd("legacy", "-legacy"), backEnd("nft", "-nft")])).flat();
  if (found.length > 0) return { found, failures };
  // An old or small image has one back end only, and says in its version which.
  const version = await run("iptables", ["--version"]);
  const kind = version.kind === "done" && version.lines.join(" ").includes("nf_tables") ? "nft" : "legacy";
  return { found: await backEnd(kind, ""), failures };
}

/** The one to use: where our rules are, else where others' are, else nft, which every current kernel has. */
export function chooseBackEnd(
  found: readonly BackEnd[],
  forced: IptablesKind | undefined,
): BackEnd | undefined {
  const of = (kind: IptablesKind): BackEnd | undefined => found.find((backEnd) => backEnd.kind === kind);
  if (forced !== undefined) return of(forced);
  const [legacy, nft] = [of("legacy"), of("nft")];
  if (legacy === undefined || nft === undefined) return nft ?? legacy;
  const better = (weight: (backEnd: BackEnd) => number): BackEnd | undefined => {
    const [old, current] = [weight(legacy), weight(nft)];
    return old > 0 === current > 0 ? undefined : old > 0 ? legacy : nft;
  };
  return better((backEnd) => Number(hasOurs(backEnd))) ?? better(ruleCount) ?? nft;
}

/** True when rules of ours are in its tables. */
export function hasOurs({ held }: BackEnd): boolean {
  return Object.values(held).some(
    (family) =>
      family !== undefined &&
      tableNames.some((table) => !isEmpty(heldState(table, family.saved.tables[table]))),
  );
}

function ruleCount({ held }: BackEnd): number {
  return Object.values(held).reduce((sum, family) => sum + (family?.saved.count ?? 0), 0);
}
