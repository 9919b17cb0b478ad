/**
 * A plan for people: what would happen, why, and the diff of the bootstrap.
 */
import type { Plan } from "../plan/plan.ts";

/**
 * The lines; a diff is coloured on a terminal.
 *
 * @param flagsOf pid of the agent whose flags were taken; undefined when they were given
 */
export function planLines(plan: Plan, flagsOf: number | undefined, colour: boolean): readonly string[] {
  const { action, running, argv, changes, files, diff } = plan;
  const rows: readonly (readonly [title: string, values: readonly string[]])[] = [
    ["plan", [headline(plan)]],
    [
      "running",
      running === undefined
        ? []
        : [
            `generation ${running.generation}, pid ${running.pid}, Envoy ${running.version ?? "(does not answer)"}`,
          ],
    ],
    ["because", action.kind === "swap" ? [action.why] : action.kind === "refuse" ? action.reasons : []],
    ["waits", running?.swapWaitsFor === undefined ? [] : [running.swapWaitsFor]],
    ["flags", flagsOf === undefined ? [] : [`those of the running agent, pid ${flagsOf}`]],
    ["changes", changes.map(({ what, detail }) => `${what}: ${detail}`)],
    ["command", argv.length === 0 ? [] : [argv.map(quoted).join(" ")]],
    ["files", files.map(({ path, exists }) => (exists ? path : `${path} (does not exist)`))],
  ];
  return [
    ...rows.flatMap(([title, values]) =>
      values.map((value, index) => `${(index === 0 ? title : "").padEnd(9)}${value}`),
    ),
    ...(diff.length === 0 ? [] : ["", ...diff.map((line) => coloured(line, colour))]),
  ];
}

function headline({ action, running, proxyless }: Plan): string {
  switch (action.kind) {
    case "none":
      return proxyless === undefined
        ? "a reload would change nothing"
        : `a restart would change nothing; no Envoy runs beside pid ${proxyless.agentPid ?? "?"} (DISABLE_ENVOY)`;
    case "start":
      return proxyless === undefined
        ? "a start would start Envoy"
        : `a start would run no Envoy (DISABLE_ENVOY); gRPC's bootstrap goes to ${proxyless.bootstrapPath ?? "no file"}`;
    case "swap":
      return `a reload would replace Envoy, swap mode ${action.mode}`;
    case "refuse":
      return proxyless?.agentPid !== undefined
        ? "a reload would change nothing; no Envoy runs (DISABLE_ENVOY)"
        : running === undefined
          ? "a start would be refused"
          : "a reload would be refused; Envoy serves on as it is";
  }
}

/** As a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function coloured(line: string, colour: boolean): string {
  const code = { "+": 32, "-": 31, "@": 36 }[line.charAt(0)];
  return colour && code !== undefined ? `\u001B[${code}m${line}\u001B[0m` : line;
}
