import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Component, componentsOf, spdxDocument } from "../../../../src/build/release/sbom.ts";

const subject: Component = {
  name: "outrider",
  version: "1.0.0",
  licence: "Apache-2.0",
  purl: "pkg:npm/outrider@1.0.0",
};
const scoped: Component = {
  name: "@scope/part",
  version: "2.1.0",
  licence: "MIT",
  purl: "pkg:npm/%40scope/part@2.1.0",
  url: "https://registry.example/part.tgz",
};
const debian: Component = {
  name: "libc6",
  version: "2.36-9+deb12u1",
  licence: undefined,
  purl: "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64&distro=debian-12",
};

interface Spdx {
  readonly spdxVersion: string;
  readonly creationInfo: { readonly created: string };
  readonly packages: readonly { readonly SPDXID: string; readonly licenseDeclared: string }[];
  readonly relationships: readonly { readonly relatedSpdxElement: string }[];
}

describe("a bill of materials", () => {
  const text = spdxDocument({ subject, components: [scoped, debian], createdAt: 1_700_000_000 });
  const document = JSON.parse(text) as Spdx;

  test("says the date that the sources have, and no other", () => {
    assert.equal(document.creationInfo.created, "2023-11-14T22:13:20Z");
    assert.equal(text, spdxDocument({ subject, components: [debian, scoped], createdAt: 1_700_000_000 }));
  });

  test("has a namespace that no document with other parts has", () => {
    const other = spdxDocument({ subject, components: [scoped], createdAt: 1_700_000_000 });
    const namespaceOf = (bill: string): unknown =>
      (JSON.parse(bill) as { readonly documentNamespace: unknown }).documentNamespace;
    assert.notEqual(namespaceOf(text), namespaceOf(other));
  });

  test("names every part once, by an identifier that SPDX allows, and relates it", () => {
    const ids = document.packages.map(({ SPDXID }) => SPDXID);
    for (const id of ids) assert.match(id, /^SPDXRef-[A-Za-z0-9.-]+$/);
    assert.equal(new Set(ids).size, 3);
    assert.deepEqual(
      document.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement),
      ids,
    );
  });

  test("claims no licence that is not known", () => {
    assert.deepEqual(document.packages.map(({ licenseDeclared }) => licenseDeclared).toSorted(), [
      "Apache-2.0",
      "MIT",
      "NOASSERTION",
    ]);
  });

  test("is read back as it was written", () => {
    const [first, ...others] = componentsOf(text);
    assert.deepEqual({ ...first, url: undefined }, { ...subject, url: undefined });
    assert.deepEqual(new Set(others.map(({ purl }) => purl)), new Set([scoped.purl, debian.purl]));
    assert.deepEqual(
      others.find(({ name }) => name === scoped.name),
      scoped,
    );
  });
});
