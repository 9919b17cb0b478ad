/**
 * A tag: a second name of a revision, by which namespaces and pods ask for it (`istio.io/rev: prod`). It is a webhook for these
 * labels that leads to the revision, and the revision's right to write its root into it. Pure.
 */
import type { JsonObject } from "../../../controlplane/config/json-value.ts";
import { textAt } from "../../../lifecycle/json-path.ts";
import { changed, joined, listOf, mappingOf } from "./changed.ts";
import { labelled } from "./labels.ts";
import { defaultRevision, systemNamespace } from "../spec/schema.ts";
import { controlPlaneName, revisioned, serviceName } from "./names.ts";

/** The label of an object that is a tag: which one (as Istio has it). */
export const tagLabel = "istio.io/tag";

/** What leads where. */
export interface Tag {
  readonly name: string;
  readonly revision: string;
  /** PEM in base64, of the revision's own webhook: the API trusts no other. */
  readonly caBundle: string;
  readonly release: string;
  /** The installation that it belongs to. */
  readonly installation: string;
}

/** `outrider-tag-prod`. */
export function tagObjectName(tag: string): string {
  return `outrider-tag-${tag}`;
}

/** In the order in which they are applied. @param webhook the MutatingWebhookConfiguration of the release's injection.yaml */
export function renderTag(tag: Tag, webhook: JsonObject): readonly JsonObject[] {
  const { installation, revision, release } = tag;
  return [...rightsOf(tag), webhookOf(tag, webhook)].map((object) =>
    labelled(object, { name: installation, component: "Tag", revision, release }),
  );
}

/** Its webhook may be written by the control plane that it leads to, and by no other. */
function rightsOf({ name, revision }: Tag): readonly JsonObject[] {
  const metadata = { name: tagObjectName(name), labels: { [tagLabel]: name } };
  const [apiVersion, apiGroup] = ["rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"];
  const account = revisioned(controlPlaneName, revision);
  return [
    {
      ...{ apiVersion, kind: "ClusterRole", metadata },
      rules: [
        {
          apiGroups: ["admissionregistration.k8s.io"],
          resources: ["mutatingwebhookconfigurations"],
          resourceNames: [metadata.name],
          verbs: ["patch"],
        },
      ],
    },
    {
      ...{ apiVersion, kind: "ClusterRoleBinding", metadata },
      roleRef: { apiGroup, kind: "ClusterRole", name: metadata.name },
      subjects: [{ kind: "ServiceAccount", name: account, namespace: systemNamespace }],
    },
  ];
}

function webhookOf({ name, revision, caBundle }: Tag, webhook: JsonObject): JsonObject {
  const named = joined(webhook, ["metadata"], { name: tagObjectName(name), labels: { [tagLabel]: name } });
  return changed(named, ["webhooks"], (webhooks) =>
    listOf(webhooks)
      .map(mappingOf)
      // Those that ask for no revision are for the default one alone, be it a tag.
      .filter((each) => name === defaultRevision || (textAt(each, "name")?.startsWith("revision.") ?? false))
      .map((each) => ofTag(each, name))
      .map((each) =>
        changed(each, ["clientConfig", "service", "name"], () => revisioned(serviceName, revision)),
      )
      .map((each) => joined(each, ["clientConfig"], { caBundle })),
  );
}

function ofTag(webhook: JsonObject, tag: string): JsonObject {
  return ["namespaceSelector", "objectSelector"].reduce(
    (made, selector) =>
      changed(made, [selector, "matchExpressions"], (expressions) =>
        listOf(expressions)
          .map(mappingOf)
          .map((each) =>
            each["key"] === "istio.io/rev" && each["operator"] === "In" ? { ...each, values: [tag] } : each,
          ),
      ),
    webhook,
  );
}
