import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { at, listAt, textAt } from "../../../../src/lifecycle/json-path.ts";
import { objectOf, readManifests } from "../../../../src/ctl/install/render/manifests.ts";
import { renderTag } from "../../../../src/ctl/install/render/tag.ts";

const { injection } = readManifests(join(import.meta.dirname, "../../../../docker/kubernetes"));
const shipped = objectOf(injection, "MutatingWebhookConfiguration", "outrider-injection");

const rendered = (name: string): readonly unknown[] =>
  renderTag(
    { name, revision: "canary", caBundle: "cm9vdA==", release: "0.0.0", installation: "outrider" },
    shipped,
  );

describe("renderTag()", () => {
  const [role, binding, tag] = rendered("prod");

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
    for (const object of [role, binding, tag]) {
      assert.equal(textAt(object, "metadata", "name"), "outrider-tag-prod");
      assert.equal(textAt(object, "metadata", "labels", "istio.io/tag"), "prod");
      assert.equal(textAt(object, "metadata", "labels", "istio.io/rev"), "canary");
      assert.equal(textAt(object, "metadata", "labels", "app.kubernetes.io/component"), "Tag");
    }
  });

  test("may be written by the control plane that it leads to", () => {
    assert.deepEqual(at(role, "rules", "0", "resourceNames"), ["outrider-tag-prod"]);
    assert.deepEqual(at(role, "rules", "0", "verbs"), ["patch"]);
    assert.equal(textAt(binding, "subjects", "0", "name"), "outrider-discovery-canary");
  });

  test("default is for those too that ask for no revision", () => {
    const webhooks = listAt(rendered("default")[2], "webhooks");
    assert.equal(webhooks.length, listAt(shipped, "webhooks").length);
    const asking = webhooks.filter((webhook) =>
      listAt(webhook, "namespaceSelector", "matchExpressions").some(
        (each) => textAt(each, "key") === "istio-injection" && textAt(each, "operator") === "In",
      ),
    );
    assert.equal(asking.length, 1);
    for (const webhook of webhooks)
      assert.equal(textAt(webhook, "clientConfig", "service", "name"), "istiod-canary");
  });
});
