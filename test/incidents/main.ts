/**
 * `npm run incidents`: what an operator sees of 20 incidents, after how many seconds, and how soon all is well after the
 * remedy. A table, and one JSON line per incident.
 *
 *     node test/incidents/main.ts [--only=nack,oom] [--list]
 *
 * It needs root: for a mount namespace, in which it starts itself, and for cgroups.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { printFigure, printTable } from "../chaos/table.ts";
import { controlPlaneIncidents } from "./control-plane.ts";
import { envoyIncidents } from "./envoy.ts";
import { type Incident, measure, type Measured, places } from "./incident.ts";
import { machineIncidents } from "./machine.ts";
import { settingsIncidents } from "./settings.ts";

/** A cause is named, and a remedy works, within so many seconds. */
const withinS = 10;

const incidents: readonly Incident[] = [
  ...settingsIncidents,
  ...controlPlaneIncidents,
  ...envoyIncidents,
  ...machineIncidents,
];

const { values: flags } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    list: { type: "boolean", default: false },
    inside: { type: "boolean", default: false },
  },
});

function cell(found: Measured["found"][keyof Measured["found"]]): string {
  return found === undefined ? "–" : found.afterS === undefined ? "never" : `${found.afterS} s`;
}

async function run(chosen: readonly Incident[]): Promise<void> {
  const rows: string[][] = [];
  for (const incident of chosen) {
    const measured = await measure(incident);
    const times = [...Object.values(measured.found).map(({ afterS }) => afterS), measured.healedS];
    if (times.some((time) => time === undefined || time > withinS)) process.exitCode = 1;
    printFigure(incident.name, { found: measured.found, healedS: measured.healedS });
    rows.push([
      incident.name,
      ...places.map((place) => cell(measured.found[place])),
      measured.healedS === undefined ? "never" : `${measured.healedS} s`,
    ]);
  }
  printTable(["incident", ...places, "healed"], rows);
}

const names = flags.only.split(",").filter((name) => name !== "");
const chosen =
  names.length === 0 ? incidents : incidents.filter(({ name }) => names.some((one) => name.startsWith(one)));
if (flags.list) for (const { name } of incidents) console.log(name);
else if (flags.inside) await run(chosen);
else {
  // What is mounted for an incident is seen by nobody else, and gone with this process.
  const { status } = spawnSync(
    "unshare",
    ["--mount", process.execPath, import.meta.filename, "--inside", ...process.argv.slice(2)],
    { stdio: "inherit" },
  );
  process.exitCode = status ?? 1;
}
