/**
 * Injection of a revision: the webhook that the API asks about new pods, and what they are injected with. Pure.
 */
import { parse, stringify } from "yaml";
import { isMapping } from "../../../document/mapping.ts";
import { textAt } from "../../../lifecycle/json-path.ts";
import type { Json, JsonObject } from "../../../controlplane/config/json-value.ts";
import { defaultRevision, type InstallSpec } from "../spec/schema.ts";
import { changed, joined, listOf, mappingOf } from "./changed.ts";
import { injectionName, revisioned, serviceName } from "./names.ts";

/** Objects of docker/kubernetes/injection.yaml, with what the specification says of images. */
export function renderInjection(manifests: readonly JsonObject[], spec: InstallSpec): readonly JsonObject[] {
  const { revision = defaultRevision } = spec;
  return manifests.map((object) => {
    switch (object["kind"]) {
      case "ConfigMap":
        return changed(object, ["data", "values"], (values) => valuesOf(values, spec));
      case "MutatingWebhookConfiguration":
        return changed(object, ["webhooks"], (webhooks) =>
          listOf(webhooks)
            .map(mappingOf)
            .filter((webhook) => revision === defaultRevision || isOfRevision(webhook))
            .map((webhook) => ofRevision(webhook, revision)),
        );
      default:
        return object;
    }
  });
}

function valuesOf(text: Json | undefined, { hub, tag, values }: InstallSpec): string {
  const given: unknown = parse(typeof text === "string" ? text : "");
  const { imagePullPolicy, imagePullSecrets } = values?.global ?? {};
  const global = { hub: hub?.replace(/\/$/, ""), tag, imagePullPolicy, imagePullSecrets };
  return stringify(joined(isMapping(given) ? (given as JsonObject) : {}, ["global"], global));
}

/** Those that ask for no revision are for the default one alone. */
function isOfRevision(webhook: JsonObject): boolean {
  return textAt(webhook, "name")?.startsWith("revision.") ?? false;
}

function ofRevision(webhook: JsonObject, revision: string): JsonObject {
  if (revision === defaultRevision) return webhook;
  const named = (expression: Json): Json =>
    textAt(expression, "key") === "istio.io/rev" && textAt(expression, "operator") === "In"
      ? { ...mappingOf(expression), values: [revision] }
      : expression;
  const selecting = ["namespaceSelector", "objectSelector"].reduce(
    (made, selector) =>
      changed(made, [selector, "matchExpressions"], (expressions) => listOf(expressions).map(named)),
    webhook,
  );
  return changed(selecting, ["clientConfig", "service", "name"], () => revisioned(serviceName, revision));
}

/** The same rights for the webhook of the revision: whoever leads writes those of the default one. */
export function withOwnWebhook(rule: Json, revision: string): Json {
  return changed(mappingOf(rule), ["resourceNames"], (names) =>
    listOf(names).includes(injectionName) ? [...listOf(names), revisioned(injectionName, revision)] : names,
  );
}
