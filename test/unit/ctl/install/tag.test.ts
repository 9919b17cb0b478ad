import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { at, listAt, textAt } from "../../../../src/lifecycle/json-path.ts";
import { objectOf, readManifests } from "../../../../src/ctl/install/render/manifests.ts";
import { renderTag } from "../../../../src/ctl/install/render/tag.ts";

const { injection } = readManifests(join(import.meta.dirname, "../../../../docker/kubernetes"));
const shipped = objectOf(injection, "MutatingWebhookConfiguration", "outrider-injection");

describe("renderTag()", () => {
  const tag = renderTag(
    { name: "prod", revision: "canary", caBundle: "cm9vdA==", release: "0.0.0", installation: "outrider" },
    shipped,
  );

  test("is a webhook for the tag's labels, and for nobody who asks for none", () => {
    const webhooks = listAt(tag, "webhooks");
    assert.equal(webhooks.length, 2);
    for (const webhook of webhooks) {
      const asked = ["namespaceSelector", "objectSelector"]
        .flatMap((selector) => listAt(webhook, selector, "matchExpressions"))
        .filter((each) => textAt(each, "key") === "istio.io/rev" && textAt(each, "operator") === "In");
      assert.deepEqual(
        asked.map((each) => at(each, "values")),
        [["prod"]],
      );
    }
  });

  test("leads to the revision, and trusts what that does", () => {
    for (const webhook of listAt(tag, "webhooks")) {
      assert.equal(textAt(webhook, "clientConfig", "service", "name"), "istiod-canary");
      assert.equal(textAt(webhook, "clientConfig", "caBundle"), "cm9vdA==");
    }
  });

  test("says what it is", () => {
    assert.equal(textAt(tag, "metadata", "name"), "outrider-tag-prod");
    assert.equal(textAt(tag, "metadata", "labels", "istio.io/tag"), "prod");
    assert.equal(textAt(tag, "metadata", "labels", "istio.io/rev"), "canary");
    assert.equal(textAt(tag, "metadata", "labels", "app.kubernetes.io/component"), "Tag");
  });
});
