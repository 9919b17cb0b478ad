/** What of several files is served: what cannot be used stays as it was, whatever stands beside it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kinds, writtenKind } from "../../../../../src/controlplane/config/schema.ts";
import { mergeFiles } from "../../../../../src/controlplane/registry/file/merge-files.ts";
import { type ParsedFile, parseDocuments } from "../../../../../src/controlplane/config/parse-documents.ts";
import { atOnce } from "../../../../../src/lifecycle/in-turns.ts";
import { describeConfigProblem, type ConfigProblem } from "../../../../../src/controlplane/config/problem.ts";

const spec = "{ outboundTrafficPolicy: { mode: ALLOW_ANY } }";

function sidecar(name: string, namespace = "demo"): string {
  return `apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: "${name}", namespace: ${namespace} }\nspec: ${spec}\n`;
}

const broken = (name: string): string => sidecar(name).replace(spec, "{ a: b }");

/** Each file by its path. */
type Files = Readonly<Record<string, string>>;

const parsed = (files: Files): readonly ParsedFile[] =>
  Object.entries(files).map(([source, text]) => parseDocuments(source, text));

const duplicate = (name: string, first: string): string =>
  `metadata.name: Sidecar demo/${name} is already in ${first}: rename or remove one of them`;

interface Case {
  readonly what: string;
  readonly before?: Files;
  readonly now: Files;
  /** What could not be looked at. */
  readonly unseen?: readonly string[];
  /** Names and places. */
  readonly served: readonly string[];
  readonly problems?: readonly string[];
}

const known =
  "spec.a: is not known here: this control plane reads workloadSelector, ingress, egress, outboundTrafficPolicy";

/** As objects say them: two API groups have a Gateway. */
const knownKinds = [
  ...new Set((Object.keys(kinds) as (keyof typeof kinds)[]).map((kind) => writtenKind(kind))),
];

const cases: readonly Case[] = [
  { what: "nothing", now: {}, served: [] },
  {
    what: "objects in the order of files and lines",
    now: { "b.yaml": sidecar("b"), "a.yaml": [sidecar("z"), sidecar("y")].join("---\n") },
    served: ["z a.yaml:1", "y a.yaml:6", "b b.yaml:1"],
  },
  {
    what: "one name in two namespaces is two objects",
    now: { "a.yaml": [sidecar("a"), sidecar("a", "shop")].join("---\n") },
    served: ["a a.yaml:1", "a a.yaml:6"],
  },
  {
    what: "an object that is removed is gone",
    before: { "a.yaml": sidecar("a"), "b.yaml": sidecar("b") },
    now: { "b.yaml": sidecar("b") },
    served: ["b b.yaml:1"],
  },
  {
    what: "an object that moves is where it is now",
    before: { "a.yaml": sidecar("a") },
    now: { "b.yaml": sidecar("a") },
    served: ["a b.yaml:1"],
  },
  {
    what: "a broken object stays as it was, wherever it is now",
    before: { "a.yaml": [sidecar("a"), sidecar("b")].join("---\n") },
    now: { "a.yaml": sidecar("b"), "c.yaml": broken("a") },
    served: ["b a.yaml:1", "a a.yaml:1"],
    problems: [`c.yaml:4: ${known}`],
  },
  {
    what: "a broken object that was never served is not there",
    now: { "a.yaml": broken("a") },
    served: [],
    problems: [`a.yaml:4: ${known}`],
  },
  {
    what: "something without a name hides all of its file, and of no other",
    before: { "a.yaml": sidecar("a"), "b.yaml": sidecar("b") },
    now: { "a.yaml": "kind: X\n" },
    served: ["a a.yaml:1"],
    problems: [`a.yaml:1: kind: "X" is not one of ${knownKinds.join(", ")}`],
  },
  {
    what: "a file that cannot be looked at hides what was in it",
    before: { "mesh/a.yaml": sidecar("a"), "mesh/b.yaml": sidecar("b") },
    now: {},
    unseen: ["mesh/a.yaml"],
    served: ["a mesh/a.yaml:1"],
    problems: ["mesh/a.yaml: cannot be read"],
  },
  {
    what: "a folder that cannot be looked at hides what was below it, and not its like",
    before: { "mesh/a.yaml": sidecar("a"), "mesh/sub/b.yaml": sidecar("b"), "mesh-2/c.yaml": sidecar("c") },
    now: {},
    unseen: ["mesh"],
    served: ["a mesh/a.yaml:1", "b mesh/sub/b.yaml:1"],
    problems: ["mesh: cannot be read"],
  },
  {
    what: "what is hidden and found elsewhere is where it is found",
    before: { "mesh/a.yaml": sidecar("a") },
    now: { "other/a.yaml": sidecar("a") },
    unseen: ["mesh"],
    served: ["a other/a.yaml:1"],
    problems: ["mesh: cannot be read"],
  },
  {
    what: "of two with one name the first counts at a start",
    now: { "b.yaml": sidecar("a"), "a.yaml": sidecar("a") },
    served: ["a a.yaml:1"],
    problems: [`a.yaml:1: ${duplicate("a", "b.yaml:1")}`],
  },
  {
    what: "of two with one name the one that is served stays",
    before: { "b.yaml": sidecar("a") },
    now: { "a.yaml": sidecar("a"), "b.yaml": sidecar("a") },
    served: ["a b.yaml:1"],
    problems: [`b.yaml:1: ${duplicate("a", "a.yaml:1")}`],
  },
  {
    what: "of three with one name each further one is told",
    now: { "a.yaml": [sidecar("a"), sidecar("a")].join("---\n"), "b.yaml": sidecar("a") },
    served: ["a a.yaml:1"],
    problems: [`a.yaml:6: ${duplicate("a", "a.yaml:1")}`, `b.yaml:1: ${duplicate("a", "a.yaml:1")}`],
  },
];

describe("mergeFiles()", () => {
  for (const { what, before = {}, now, unseen = [], served, problems = [] } of cases) {
    test(what, () => {
      const last = atOnce(mergeFiles(parsed(before), [], [])).objects;
      const unseenProblems = unseen.map((source): ConfigProblem => ({
        source,
        line: 0,
        path: "",
        message: "cannot be read",
      }));
      const merged = atOnce(mergeFiles(parsed(now), unseenProblems, last));
      assert.deepEqual(
        merged.objects.map(({ name, source, line }) => `${name} ${source}:${line}`),
        served,
      );
      assert.deepEqual(merged.problems.map(describeConfigProblem), problems);
    });
  }
});
