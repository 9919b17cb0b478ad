/**
 * The root in the configuration of the webhook: the API server knows it by that (`clientConfig.caBundle`), and it is written where
 * it is another one.
 */
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import { eachChange, keepObjects } from "../kubernetes/keep-objects.ts";
import type { ObjectWriterOptions, WantedWrite } from "../kubernetes/object-writer.ts";
import { Reflector } from "../kubernetes/reflector.ts";
import { mappingOf, mappingsOf, type Resource, textOf } from "../kubernetes/resource.ts";

/** Name of the configuration that docker/kubernetes has. */
const name = "outrider-validation";

const group = "admissionregistration.k8s.io";
const plural = "validatingwebhookconfigurations";

const configurations: Resource<{ readonly bundles: readonly string[] }> = {
  plural,
  group,
  versions: ["v1"],
  fieldSelector: `metadata.name=${name}`,
  keep: ({ webhooks }) => ({
    bundles: mappingsOf(webhooks).map(({ clientConfig }) => textOf(mappingOf(clientConfig)["caBundle"])),
  }),
};

/** Until `signal` aborts. Nothing is made where nobody wants a webhook. @param root PEM, as it is now */
export function keepCaBundle(
  { root, ...writing }: { readonly root: ReadonlyWatch<string> } & Omit<ObjectWriterOptions, "what">,
  signal: AbortSignal,
): Promise<void> {
  return keepObjects(
    { ...writing, what: "webhook" },
    (onChange) => {
      const known = new Reflector(configurations, writing.api, onChange);
      function* due(): Generator<WantedWrite> {
        const wanted = Buffer.from(root.current).toString("base64");
        for (const { bundles } of known.values()) {
          const wrong = bundles.flatMap((bundle, index) => (bundle === wanted ? [] : [index]));
          if (wrong.length > 0) yield writeOf(wrong, wanted);
        }
      }
      return { followed: [(stop) => known.run(stop), eachChange(root, onChange)], due };
    },
    signal,
  );
}

function writeOf(wrong: readonly number[], wanted: string): WantedWrite {
  const body = wrong.map((index) => ({
    op: "add",
    path: `/webhooks/${index}/clientConfig/caBundle`,
    value: wanted,
  }));
  const path = `/apis/${group}/v1/${plural}/${name}`;
  const contentType = "application/json-patch+json";
  return {
    object: `ValidatingWebhookConfiguration ${name}`,
    wish: wanted,
    request: { method: "PATCH", path, contentType, body },
  };
}
