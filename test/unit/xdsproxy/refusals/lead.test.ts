import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { WireResource } from "../../../../src/xds/wire-resource.ts";
import { leadOf, namesDue } from "../../../../src/xdsproxy/refusals/lead.ts";

const resource = (name: string, version: string): WireResource => ({
  ...{ name, version, bytes: Buffer.from(`${name}=${version}`) },
});
const entry = (name: string): { readonly name: string; readonly resource: () => WireResource } => ({
  name,
  resource: () => resource(name, "new"),
});
const known = (
  ...names: readonly string[]
): { readonly get: (name: string) => WireResource | undefined } => ({
  get: (name) => (names.includes(name) ? resource(name, "accepted") : undefined),
});
const texts = (resources: readonly WireResource[] | undefined): readonly string[] | undefined =>
  resources?.map(({ name, version }) => `${name}=${version}`);

describe("leadOf()", () => {
  test("puts what was accepted in the place of what was refused", () => {
    const lead = leadOf([entry("a"), entry("b"), entry("c")], new Set(["b"]), known("a", "b"));
    assert.deepEqual(texts(lead?.resources), ["a=new", "b=accepted", "c=new"]);
    assert.deepEqual([...(lead?.given ?? [])], ["b"]);
  });

  test("leaves out what was refused and never accepted", () => {
    const lead = leadOf([entry("a"), entry("b")], new Set(["b"]), known());
    assert.deepEqual(texts(lead?.resources), ["a=new"]);
    assert.deepEqual([...(lead?.given ?? ["given"])], []);
  });

  test("is none when nothing is left", () => {
    assert.equal(leadOf([entry("a")], new Set(["a"]), known()), undefined);
  });

  test("has nothing of what was refused, and everything else, whatever is known", () => {
    const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"));
    fc.assert(
      fc.property(names, names, names, names, (sent, refused, seen, accepted) => {
        const entries = sent.map(entry);
        const due = namesDue(entries, new Set(refused), new Set(seen));
        const lead = leadOf(entries, due, known(...accepted));
        const expected = sent.flatMap((name) => {
          const isDue = refused.includes(name) && !seen.includes(name);
          if (!isDue) return [`${name}=new`];
          return accepted.includes(name) ? [`${name}=accepted`] : [];
        });
        assert.deepEqual(texts(lead?.resources) ?? [], expected);
      }),
    );
  });
});
