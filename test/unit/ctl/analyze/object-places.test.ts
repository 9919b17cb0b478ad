/** What is told names the object that it is about, in whatever way the text is written. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { objectPlaces } from "../../../../src/ctl/analyze/object-places.ts";

const rule = (name: string): object => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name, namespace: "demo" },
  spec: { hosts: [name] },
});
const list = { apiVersion: "v1", kind: "List", items: [rule("web"), rule("orders")], metadata: {} };
const itemsFirst = { ...{ apiVersion: "v1", items: list.items }, kind: "List", metadata: {} };
const reversed = (object: object): object => Object.fromEntries(Object.entries(object).toReversed());

const texts: Readonly<Record<string, string>> = {
  "documents of their own": [rule("web"), rule("orders")].map((object) => stringify(object)).join("---\n"),
  "a list": stringify(list),
  "a list whose kind comes last": stringify(itemsFirst),
  "a list whose items begin with their fields": stringify({ ...list, items: list.items.map(reversed) }),
  "a list of JSON": JSON.stringify(list, undefined, 4),
  "a list of JSON whose kind comes last": JSON.stringify(itemsFirst, undefined, 4),
  "a list in brackets": `kind: List\napiVersion: v1\nitems: [\n  ${list.items.map((item) => JSON.stringify(item)).join(",\n  ")}]\n`,
};

describe("the object at a line", () => {
  for (const [what, text] of Object.entries(texts))
    test(`of ${what} is the one that has it`, () => {
      const at = objectPlaces(text);
      const lines = text.split("\n");
      for (const name of ["web", "orders"]) {
        const having = lines.flatMap((line, index) => (line.includes(name) ? [index + 1] : []));
        assert.ok(having.length > 0);
        for (const line of having) assert.equal(at(line), `VirtualService demo/${name}`, `${what}: ${line}`);
      }
      for (const [index, line] of lines.entries())
        if (/"?kind"?: "?List/.test(line)) assert.equal(at(index + 1), undefined, what);
    });

  test("is none where several are on the line, and where none is", () => {
    assert.equal(objectPlaces(JSON.stringify(list))(1), undefined);
    assert.equal(objectPlaces("")(1), undefined);
  });

  test("of a document that cannot be read is what stands there", () => {
    const text = `${stringify(rule("web"))}---\n${stringify(rule("orders"))}  hosts: [\n`;
    const at = objectPlaces(text);
    assert.equal(at(1), "VirtualService demo/web");
    assert.equal(at(text.split("\n").length - 1), "VirtualService demo/orders");
    assert.equal(objectPlaces("kind: List\nitems:\n- metadata: {name: a}\n  a: [\n")(4), undefined);
  });
});
