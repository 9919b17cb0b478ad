/** What several Telemetries say together of one workload. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mergeLogs } from "../../../../../src/controlplane/networking/telemetry/merge-logs.ts";
import { mergeTracing } from "../../../../../src/controlplane/networking/telemetry/merge-tracing.ts";

type Level = Parameters<typeof mergeLogs>[0][number];

const to = (...names: readonly string[]): { readonly providers: readonly { readonly name: string }[] } => ({
  providers: names.map((name) => ({ name })),
});

const client = { match: { mode: "CLIENT" } } as const;
const server = { match: { mode: "SERVER" } } as const;
const filter = (expression: string): { readonly filter: { readonly expression: string } } => ({
  filter: { expression },
});

/** Providers at the client's and at the server's side, with their conditions. */
const logs: readonly (readonly [
  what: string,
  levels: readonly Level[],
  defaults: readonly string[],
  atClient: readonly string[],
  atServer: readonly string[],
])[] = [
  ["nothing", [], [], [], []],
  ["the mesh's providers", [], ["a", "b"], ["a", "b"], ["a", "b"]],
  ["an entry without providers means the mesh's", [[{}]], ["a"], ["a"], ["a"]],
  ["a Telemetry's providers take the place of the mesh's", [[to("b")]], ["a"], ["b"], ["b"]],
  ["a closer Telemetry's take the place of a wider one's", [[to("a")], [to("b")]], [], ["b"], ["b"]],
  ["a closer Telemetry without providers means the wider one's", [[to("a")], [{}]], [], ["a"], ["a"]],
  ["off for all", [[to("a")], [{ disabled: true }]], [], [], []],
  ["off for one of two", [[to("a", "b")], [{ ...to("a"), disabled: true }]], [], [], []],
  ["off, and on again", [[{ ...to("a"), disabled: true }], [{ disabled: false }]], [], ["a"], ["a"]],
  ["one side", [[{ ...client, ...to("a") }]], [], ["a"], []],
  [
    "each side its own",
    [
      [
        { ...client, ...to("a") },
        { ...server, ...to("b") },
      ],
    ],
    [],
    ["a"],
    ["b"],
  ],
  ["one side off", [[to("a")], [{ ...server, disabled: true }]], [], ["a"], []],
  ["a condition", [[{ ...to("a"), ...filter("x") }]], [], ["a if x"], ["a if x"]],
  [
    "the closest condition",
    [[{ ...to("a"), ...filter("x") }], [{ ...to("a"), ...filter("y") }]],
    [],
    ["a if y"],
    ["a if y"],
  ],
  [
    "no condition, where the closest has none",
    [[{ ...to("a"), ...filter("x") }], [to("a")]],
    [],
    ["a"],
    ["a"],
  ],
];

describe("access logs of a workload", () => {
  for (const [what, levels, defaults, ...expected] of logs)
    test(what, () => {
      const found = (["CLIENT", "SERVER"] as const).map((side) =>
        [...mergeLogs(levels, defaults, side)].map(([name, { expression }]) =>
          expression === undefined ? name : `${name} if ${expression}`,
        ),
      );
      assert.deepEqual(found, expected);
    });
});

type Entry = Parameters<typeof mergeTracing>[0][number];

const spans: readonly (readonly [
  what: string,
  entries: readonly Entry[],
  defaults: readonly string[],
  atClient: unknown,
  atServer: unknown,
])[] = [
  ["nothing", [], [], undefined, undefined],
  ["the first of the mesh's providers", [], ["a", "b"], { provider: "a" }, { provider: "a" }],
  ["shares without a provider", [{ randomSamplingPercentage: 5 }], [], undefined, undefined],
  [
    "each field by the closest that says it",
    [{ ...to("a"), randomSamplingPercentage: 5, enableIstioTags: false }, { randomSamplingPercentage: 0 }],
    [],
    { provider: "a", randomSamplingPercentage: 0, enableIstioTags: false },
    { provider: "a", randomSamplingPercentage: 0, enableIstioTags: false },
  ],
  ["one side", [{ ...server, ...to("a") }], ["b"], { provider: "b" }, { provider: "a" }],
  ["off at one side", [{ ...client, disableSpanReporting: true }], ["a"], undefined, { provider: "a" }],
  [
    "off, and on again",
    [{ disableSpanReporting: true }, { disableSpanReporting: false }],
    ["a"],
    { provider: "a" },
    { provider: "a" },
  ],
];

describe("spans of a workload", () => {
  for (const [what, entries, defaults, ...expected] of spans)
    test(what, () => {
      assert.deepEqual(
        (["CLIENT", "SERVER"] as const).map((side) => mergeTracing(entries, defaults, side)),
        expected,
      );
    });
});
