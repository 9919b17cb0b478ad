/**
 * A tag: a second name of a revision, by which namespaces and pods ask for it (`istio.io/rev: prod`). It is a webhook for these
 * labels that leads to the revision. Pure.
 */
import type { JsonObject } from "../../../controlplane/config/json-value.ts";
import { textAt } from "../../../lifecycle/json-path.ts";
import { changed, joined, listOf, mappingOf } from "./changed.ts";
import { labelled } from "./labels.ts";
import { revisioned, serviceName } from "./names.ts";

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

/** @param webhook the MutatingWebhookConfiguration of the release's injection.yaml */
export function renderTag(
  { name, revision, caBundle, release, installation }: Tag,
  webhook: JsonObject,
): JsonObject {
  const named = joined(webhook, ["metadata"], { name: tagObjectName(name), labels: { [tagLabel]: name } });
  const leading = changed(named, ["webhooks"], (webhooks) =>
    listOf(webhooks)
      .map(mappingOf)
      // Those that ask for no revision are for the default one alone.
      .filter((each) => textAt(each, "name")?.startsWith("revision.") ?? false)
      .map((each) => ofTag(each, name))
      .map((each) =>
        changed(each, ["clientConfig", "service", "name"], () => revisioned(serviceName, revision)),
      )
      .map((each) => joined(each, ["clientConfig"], { caBundle })),
  );
  return labelled(leading, { name: installation, component: "Tag", revision, release });
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
