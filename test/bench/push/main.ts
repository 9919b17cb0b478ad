/**
 * `npm run bench:push`: what a change of the configuration costs the control plane, and when the last sidecar has it.
 *
 *     node test/bench/push/main.ts [--subjects=release,sources] [--against=istiod|TREE] [--services=1000] [--endpoints=5]
 *                                  [--sidecars=10,100] [--protocols=delta,sotw] [--changes=30]
 *                                  [--namespaces=10] [--scoped]
 *                                  [--behaviour=all|refusing|stalled|mixed] [--burstSeconds=60]
 *
 * Control planes, sidecars (scripted: streams that acknowledge everything) and this program are a process each. Sidecars
 * acknowledge everything, refuse everything, or half of them read nothing after their first request. With
 * `--burstSeconds` a file changes each 50 ms for so long, and the last change is waited for.
 *
 * `--against=istiod` runs the istiod that ISTIOD_PATH names beside it, as `npm run test:istiod` builds it, with the same
 * mesh, changes and sidecars, in turn change by change; `--against=TREE` the release that was built in another tree.
 */
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Figure, jsonLine, ratios, table } from "../figure.ts";
import { measure } from "./measure.ts";
import { usualNamespaces } from "./mesh.ts";
import { istiod, outrider, type Subject } from "./plane.ts";

const { values: flags } = parseArgs({
  options: {
    subjects: { type: "string", default: "release" },
    against: { type: "string" },
    services: { type: "string", default: "1000" },
    endpoints: { type: "string", default: "5" },
    sidecars: { type: "string", default: "10,100" },
    protocols: { type: "string", default: "delta,sotw" },
    changes: { type: "string", default: "30" },
    namespaces: { type: "string", default: String(usualNamespaces) },
    scoped: { type: "boolean", default: false },
    behaviour: { type: "string", default: "all" },
    burstSeconds: { type: "string", default: "0" },
  },
});

const root = join(import.meta.dirname, "../../..");
const release = (tree: string): readonly string[] => [join(tree, "dist/bin/outrider")];
const own: Readonly<Record<string, readonly string[]>> = {
  release: release(root),
  sources: [process.execPath, join(root, "src/main.ts")],
};

function otherSubject(against: string): Subject {
  return against === "istiod" ? istiod : outrider(against, release(against));
}

const subjects = flags.subjects.split(",").map((name) => {
  const program = own[name];
  if (program === undefined) throw new Error(`${name} is none of ${Object.keys(own).join(", ")}`);
  return outrider(name, program);
});
const other = flags.against === undefined ? undefined : otherSubject(flags.against);

const load = (): string => loadavg()[0]?.toFixed(1) ?? "";
const figures: Figure[] = [];
const loads = [load()];
for (const protocol of flags.protocols.split(","))
  for (const sidecars of flags.sidecars.split(",").map(Number)) {
    const made = await measure({
      subjects: [...subjects, ...(other === undefined ? [] : [other])],
      protocol,
      sidecars,
      behaviour: flags.behaviour,
      changes: Number(flags.changes),
      burstMs: Number(flags.burstSeconds) * 1_000,
      mesh: {
        services: Number(flags.services),
        endpoints: Number(flags.endpoints),
        namespaces: Number(flags.namespaces),
        isScoped: flags.scoped,
      },
    });
    figures.push(...made);
    loads.push(load());
  }

console.log(table(figures));
if (other !== undefined) console.log(`\n${ratios(figures, other.name)}`);
console.log(`\nload average of the machine, before and after each: ${loads.join(", ")}`);
for (const figure of figures) console.log(jsonLine(figure));
