/** What cannot be encoded costs as little as it can, and is told with its name. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeParts } from "../../../../src/controlplane/networking/encode-parts.ts";
import { pushedTypes, type ResourceKind } from "../../../../src/controlplane/networking/pushed-types.ts";

const good = { filters: [{ name: "good" }] };
const bad = { filters: [{ nickname: "bad" }] };

interface Case {
  readonly what: string;
  readonly kind: ResourceKind;
  readonly json: object;
  /** What is encoded in its place; undefined for nothing. */
  readonly sent: object | undefined;
  readonly faults: readonly string[];
}

const cases: readonly Case[] = [
  { what: "nothing is wrong", kind: "cluster", json: { name: "a" }, sent: { name: "a" }, faults: [] },
  {
    what: "a resource without parts is lost as a whole",
    kind: "cluster",
    json: { name: "a", nickname: "b" },
    sent: undefined,
    faults: ["cluster a"],
  },
  {
    what: "a listener is not sent without one of its chains, past whose guards another would serve",
    kind: "listener",
    json: { name: "a", filterChains: [good, { name: "b", ...bad }] },
    sent: undefined,
    faults: ["listener a, b"],
  },
  {
    what: "each chain at fault is told, those without a name too",
    kind: "listener",
    json: { name: "a", filterChains: [bad, good, bad] },
    sent: undefined,
    faults: ["listener a, a part", "listener a, a part"],
  },
  {
    what: "a virtual host is left out",
    kind: "route",
    json: {
      name: "a",
      virtualHosts: [
        { name: "b", domain: "b" },
        { name: "c", domains: ["c"] },
      ],
    },
    sent: { name: "a", virtualHosts: [{ name: "c", domains: ["c"] }] },
    faults: ["route a, b"],
  },
  {
    what: "a virtual host that Envoy would refuse is left out",
    kind: "route",
    json: { name: "a", virtualHosts: [{ name: "b" }, { name: "c", domains: ["c"] }] },
    sent: { name: "a", virtualHosts: [{ name: "c", domains: ["c"] }] },
    faults: ["route a, b"],
  },
  {
    what: "the fault is in what the parts share",
    kind: "listener",
    json: { name: "a", nickname: "b", filterChains: [good, good] },
    sent: undefined,
    faults: ["listener a"],
  },
  {
    what: "there are no parts",
    kind: "listener",
    json: { name: "a", nickname: "b" },
    sent: undefined,
    faults: ["listener a"],
  },
];

describe("encodeParts()", () => {
  for (const { what, kind, json, sent, faults } of cases) {
    test(what, () => {
      const encoded = encodeParts(pushedTypes[kind], "a", json);
      assert.deepEqual(
        encoded.faults.map(({ part }) => part),
        faults,
      );
      for (const { reason } of encoded.faults) assert.match(reason, /nickname|domain/);
      assert.deepEqual(
        encoded.bytes,
        sent === undefined ? undefined : encodeParts(pushedTypes[kind], "a", sent).bytes,
      );
    });
  }
});
