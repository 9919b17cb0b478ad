import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type InspectionFacts,
  judgeLaunch,
  type RunningFacts,
} from "../../../../src/envoy/inspect/inspection.ts";

const running: RunningFacts = {
  listeners: [{ name: "web", address: { host: "0.0.0.0", port: 80 }, exclusive: undefined, tls: [] }],
  hotRestart: {
    obstacle: undefined,
    workers: { running: 1, wanted: 1 },
    isSameBinary: true,
    versions: undefined,
  },
  memory: undefined,
};
const usual: InspectionFacts = {
  launch: { binary: "/bin/envoy", bootstrap: "{}", staticPorts: [15090] },
  validation: { kind: "valid" },
  requested: "auto",
  running,
  knownPorts: [{ port: 15021, purpose: "ENVOY_STATUS_PORT" }],
  owners: [],
  friends: { own: [7, 8], strays: [] },
  migratesConnections: true,
};
const exclusive = { name: "sole", address: undefined, exclusive: "is a Unix socket", tls: [] };
const owner = (pid: number | undefined, port: number) => ({ port, pid, command: "python3" });

interface Case {
  readonly what: string;
  readonly facts: Partial<InspectionFacts>;
  /** Stage and reason of each refusal. */
  readonly refused?: readonly (readonly [stage: string, reason: RegExp])[];
  readonly mode?: string;
}

const cases: readonly Case[] = [
  { what: "nothing stands in the way", facts: {}, mode: "overlap" },
  {
    what: "a listener that cannot be bound twice is handed over hot",
    facts: { running: { ...running, listeners: [exclusive] } },
    mode: "hot",
  },
  {
    what: "and cold where the number of workers changes as well",
    facts: {
      running: {
        ...running,
        listeners: [exclusive],
        hotRestart: { ...running.hotRestart, workers: { running: 1, wanted: 2 } },
      },
    },
    mode: "cold",
  },
  {
    what: "memory that holds no second Envoy makes it cold",
    facts: { running: { ...running, memory: { envoyBytes: 100, freeBytes: 119 } } },
    mode: "cold",
  },
  {
    what: "memory that holds one and some room is enough",
    facts: { running: { ...running, memory: { envoyBytes: 100, freeBytes: 120 } } },
    mode: "overlap",
  },
  { what: "where nobody serves there is nothing to take over", facts: { running: undefined }, mode: "cold" },
  {
    what: "the mode that is demanded of nobody is no obstacle",
    facts: { running: undefined, requested: "hot" },
    mode: "cold",
  },
  {
    what: "own ports are no obstacle, seen or not",
    facts: { owners: [owner(8, 80), owner(undefined, 80), owner(7, 15021)] },
    mode: "overlap",
  },
  {
    what: "a stranger on a listener's port is one",
    facts: { owners: [owner(42, 80)] },
    refused: [["ports", /^port 80 \(listener web\) is taken by pid 42/]],
  },
  {
    what: "and so is whoever cannot be seen where the running Envoy does not listen",
    facts: { owners: [owner(undefined, 15090)] },
    refused: [["ports", /port 15090 .*cannot be seen from here/]],
  },
  {
    what: "before an Envoy runs, whoever cannot be seen is a stranger",
    facts: { running: undefined, owners: [owner(undefined, 15021)] },
    refused: [["ports", /15021 \(ENVOY_STATUS_PORT\)/]],
  },
  {
    what: "a demanded mode that is impossible is refused",
    facts: { running: { ...running, listeners: [exclusive] }, requested: "overlap" },
    refused: [["mode", /--swapMode=overlap cannot be done: listener sole is a Unix socket/]],
  },
  {
    what: "all that stands in the way is told, what Envoy says first",
    facts: {
      validation: { kind: "no-answer", afterMs: 30_000 },
      owners: [owner(42, 15021), owner(43, 15090)],
      running: { ...running, listeners: undefined },
      requested: "overlap",
    },
    refused: [
      ["validate", /within 30000 ms/],
      ["ports", /15021.*pid 42.*; .*15090.*pid 43/],
      ["mode", /listeners are unknown/],
    ],
  },
];

describe("judgeLaunch()", () => {
  for (const { what, facts, refused = [], mode } of cases) {
    test(what, () => {
      const { refusals, swap } = judgeLaunch({ ...usual, ...facts });
      assert.deepEqual(
        refusals.map(({ stage }) => stage),
        refused.map(([stage]) => stage),
      );
      for (const [index, [, reason]] of refused.entries())
        assert.match(refusals[index]?.reason ?? "", reason);
      if (mode !== undefined) assert.equal(swap.kind === "mode" ? swap.mode : swap.kind, mode);
    });
  }
});
