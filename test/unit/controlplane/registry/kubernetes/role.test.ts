/** The rights that docker/kubernetes gives are those that are used to follow a cluster: no kind less, and no more. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import {
  nodes,
  pods,
  services,
  slices,
  writtenResources,
} from "../../../../../src/controlplane/registry/kubernetes/resources.ts";

interface Role {
  readonly kind: string;
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

interface Webhooks {
  readonly kind: string;
  readonly webhooks: readonly { readonly rules: readonly { readonly apiGroups: readonly string[] }[] }[];
}

const manifest = join(import.meta.dirname, "../../../../../docker/kubernetes/registry.yaml");

describe("the control plane's role", () => {
  test("lists and watches every kind that is followed and the tags of injection, and no other", () => {
    const roles = parseAllDocuments(readFileSync(manifest, "utf8")).map((each) => each.toJS() as Role);
    const given = roles
      .filter(({ kind }) => kind === "ClusterRole")
      .flatMap(({ rules = [] }) => rules)
      .filter(({ verbs, resourceNames }) => verbs.includes("list") && resourceNames === undefined)
      .flatMap(({ apiGroups, resources, verbs }) => {
        assert.deepEqual(verbs, ["list", "watch"]);
        return apiGroups.flatMap((group) => resources.map((plural) => `${plural}.${group}`));
      });
    const followed = [services, slices, pods, nodes, ...writtenResources].map(
      ({ plural, group }) => `${plural}.${group}`,
    );
    // Tags of injection have names of their own.
    const tags = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
    const sorted = (names: readonly string[]): readonly string[] =>
      [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1));
    assert.deepEqual(sorted(given), sorted([...followed, tags]));
  });

  test("has the webhook asked about every group whose objects people write", () => {
    const webhooks = parseAllDocuments(readFileSync(manifest, "utf8"))
      .map((each) => each.toJS() as Webhooks)
      .find(({ kind }) => kind === "ValidatingWebhookConfiguration");
    const asked = webhooks?.webhooks[0]?.rules.flatMap(({ apiGroups }) => apiGroups) ?? [];
    const written = writtenResources.map(({ group }) => group).filter((group) => group !== "");
    assert.deepEqual(asked.toSorted(), [...new Set(written)].toSorted());
  });
});
