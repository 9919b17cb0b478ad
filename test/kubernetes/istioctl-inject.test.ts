/**
 * Our injection beside Istio's own: `istioctl kube-inject` with the values and settings that `istioctl manifest generate` prints, for every
 * golden input that needs no other settings; field by field. It asks an API for its version, and nothing else.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { parseAllDocuments, stringify } from "yaml";
import { isMapping } from "../../src/document/mapping.ts";
import type { Fields } from "../../src/controlplane/inject/pod.ts";
import { workloadOf } from "../../src/controlplane/inject/workload.ts";
import { textAt } from "../../src/lifecycle/json-path.ts";
import { injected, injectionCases } from "../support/injection.ts";
import { RealCluster } from "../support/kubernetes/real-cluster.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const istioctl = process.env["ISTIOCTL_PATH"];

/** Where we differ on purpose, by the case and the field. */
const known: readonly (readonly [cases: RegExp, fields: RegExp, why: string])[] = [
  [/./, /env\/GO(?:MEMLIMIT|MAXPROCS)/, "there is no Go"],
  [/./, /istio-ca-crl/, "only where the values name a ConfigMap of revoked certificates"],
  [/./, /sidecar\.istio\.io\/status/, "volumes stand in another order"],
  [/^gateway$/, /securityContext/, "as little as it needs, by the template too"],
  [/^gateway$/, /resources|INTERCEPTION_MODE/, "those of the values; nothing is captured"],
  [
    /^overrides-of-the-pod$/,
    /readinessProbe\/httpGet/,
    "a probe of another kind takes its place, as two are refused",
  ],
  [
    /^status-port/,
    /prometheus\.io|readinessProbe|PROBERS/,
    "the port of the annotation everywhere, and nothing at 0",
  ],
  [/^probe-of-an-unknown-port$/, /web\/readinessProbe/, "it stays, and a warning says why"],
  [/^gateway$|^overrides/, /proxy\.istio\.io\/overrides/, "the image is kept as it was written"],
  [/^inject-is-no-boolean$/, /annotations\/sidecar\.istio\.io\/inject/, "YAML 1.1"],
];

/** Where we leave or refuse what Istio injects. */
const stricter: readonly string[] = [
  ...["left-in-a-system-namespace", "template-unknown", "volume-of-another-kind"],
];

const run = promisify(execFile);

/** Every value by its path; elements that have a name by that, JSON in text as what it is. */
function flat(value: unknown, path = ""): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  const entries = Array.isArray(value)
    ? (value as readonly unknown[]).map((each, index) => [keyOf(each, index), each] as const)
    : isMapping(value)
      ? Object.entries(value)
      : undefined;
  const json = typeof value === "string" && /^\s*[[{]/.test(value) ? parsed(value) : undefined;
  if (json !== undefined) return flat(json, path);
  if (entries === undefined) return value === null ? found : found.set(path, plain(value));
  for (const [name, each] of entries)
    for (const [at, leaf] of flat(each, `${path}/${name}`)) found.set(at, leaf);
  return found;
}

const keyOf = (element: unknown, index: number): string =>
  [textAt(element, "name") ?? String(index), textAt(element, "mountPath") ?? []].flat().join("@");

/** Zero, no text and an amount of memory in its other unit say the same. */
const plain = (value: unknown): unknown =>
  value === 0 || value === "" ? undefined : value === "2000m" ? "2" : value === "1024Mi" ? "1Gi" : value;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe(
  "injection beside Istio's own",
  { skip: istioctl === undefined ? "ISTIOCTL_PATH is not set" : false },
  () => {
    test("makes the same of a pod, but for what is different on purpose", { timeout: 900_000 }, async () => {
      await using stack = new AsyncDisposableStack();
      const folder = stack.use(temporaryFolder()).path;
      const cluster = stack.use(await RealCluster.start(join(folder, "cluster")));
      const { stdout: manifest } = await run(istioctl ?? "", ["manifest", "generate"], {
        maxBuffer: 2 ** 26,
      });
      const maps = parseAllDocuments(manifest).map((document) => document.toJS() as Fields | null);
      const dataOf = (name: string, key: string): string =>
        maps
          .map((each) => (textAt(each, "metadata", "name") === name ? textAt(each, "data", key) : undefined))
          .find((text) => text !== undefined) ?? assert.fail(`no ${name}`);
      const files = { values: dataOf("istio-sidecar-injector", "values"), mesh: dataOf("istio", "mesh") };
      const config = dataOf("istio-sidecar-injector", "config");
      for (const [name, text] of Object.entries({ ...files, config }))
        writeFileSync(join(folder, name), text);
      const settings = { values: JSON.parse(files.values) as Fields };
      const differences: string[] = [];
      const met = new Set<string>();
      for (const each of injectionCases().filter(({ given }) => Object.keys(given).length === 0)) {
        writeFileSync(join(folder, "in.yaml"), stringify(each.object));
        const words = ["--injectConfigFile", "config", "--valuesFile", "values", "--meshConfigFile", "mesh"];
        const theirs = await run(
          istioctl ?? "",
          ["kube-inject", "-f", "in.yaml", ...words, "-c", cluster.kubeconfig()],
          {
            cwd: folder,
            timeout: 60_000,
          },
        ).then(
          ({ stdout }) => parseAllDocuments(stdout)[0]?.toJS() as Fields,
          () => undefined,
        );
        const ours = injected({ ...each, given: settings });
        const template = workloadOf(theirs)?.template;
        const theirKind =
          theirs === undefined
            ? "refused"
            : textAt(template, "metadata", "annotations", "sidecar.istio.io/status") === undefined
              ? "left"
              : "injected";
        if (theirKind !== ours.kind) {
          if (!stricter.includes(each.name))
            differences.push(`${each.name}: ${theirKind} there, ${ours.kind} here`);
          continue;
        }
        if (ours.kind !== "injected") continue;
        const { metadata, spec } = template as Fields;
        const [there, here] = [
          flat({ metadata, spec }),
          flat({ metadata: ours.pod.metadata, spec: ours.pod.spec }),
        ];
        for (const path of new Set([...there.keys(), ...here.keys()])) {
          if (there.get(path) === here.get(path)) continue;
          const row = known.find(([cases, fields]) => cases.test(each.name) && fields.test(path));
          if (row !== undefined) met.add(row[2]);
          else
            differences.push(
              `${each.name}${path}: ${JSON.stringify(there.get(path))} there, ${JSON.stringify(here.get(path))} here`,
            );
        }
      }
      assert.deepEqual(differences, []);
      assert.deepEqual(
        known.map(([, , why]) => why).filter((why) => !met.has(why)),
        [],
        "no longer different",
      );
    });
  },
);
