/**
 * The root in the configurations of the webhook: the API server knows it by that (`clientConfig.caBundle`), and it is written where
 * it is another one.
 */
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import { eachChange, keepObjects } from "../kubernetes/keep-objects.ts";
import type { ObjectWriterOptions, WantedWrite } from "../kubernetes/object-writer.ts";
import { Reflector } from "../kubernetes/reflector.ts";
import { mappingOf, mappingsOf, type Resource, textOf } from "../kubernetes/resource.ts";

const group = "admissionregistration.k8s.io";

/** A configuration of docker/kubernetes. */
interface Configuration {
  readonly kind: string;
  readonly plural: string;
  readonly name: string;
}

/** Those that lead to a control plane of this revision: objects are checked by the default one alone. */
function configurationsOf(revision: string): readonly Configuration[] {
  const suffix = revision === "default" ? "" : `-${revision}`;
  const of = (what: string, name: string): Configuration => ({
    kind: `${what}WebhookConfiguration`,
    plural: `${what.toLowerCase()}webhookconfigurations`,
    name,
  });
  return [
    ...(revision === "default" ? [of("Validating", "outrider-validation")] : []),
    of("Mutating", `outrider-injection${suffix}`),
  ];
}

function resourceOf({ plural, name }: Configuration): Resource<{ readonly bundles: readonly string[] }> {
  return {
    plural,
    group,
    versions: ["v1"],
    fieldSelector: `metadata.name=${name}`,
    // Roles of former releases know one of them.
    mayBeRefused: true,
    keep: ({ webhooks }) => ({
      bundles: mappingsOf(webhooks).map(({ clientConfig }) => textOf(mappingOf(clientConfig)["caBundle"])),
    }),
  };
}

/** Until `signal` aborts. Nothing is made where nobody wants a webhook. @param root PEM, as it is now */
export function keepCaBundle(
  {
    root,
    revision,
    ...writing
  }: { readonly root: ReadonlyWatch<string>; readonly revision: string } & Omit<ObjectWriterOptions, "what">,
  signal: AbortSignal,
): Promise<void> {
  return keepObjects(
    { ...writing, what: "webhook" },
    (onChange) => {
      const kept = configurationsOf(revision).map(
        (configuration) =>
          [configuration, new Reflector(resourceOf(configuration), writing.api, onChange)] as const,
      );
      function* due(): Generator<WantedWrite> {
        const wanted = Buffer.from(root.current).toString("base64");
        for (const [configuration, known] of kept)
          for (const { bundles } of known.values()) {
            const wrong = bundles.flatMap((bundle, index) => (bundle === wanted ? [] : [index]));
            if (wrong.length > 0) yield writeOf(configuration, wrong, wanted);
          }
      }
      const followed = kept.map(
        ([, known]) =>
          (stop: AbortSignal) =>
            known.run(stop),
      );
      return { followed: [...followed, eachChange(root, onChange)], due };
    },
    signal,
  );
}

function writeOf(
  { kind, plural, name }: Configuration,
  wrong: readonly number[],
  wanted: string,
): WantedWrite {
  const body = wrong.map((index) => ({
    op: "add",
    path: `/webhooks/${index}/clientConfig/caBundle`,
    value: wanted,
  }));
  const path = `/apis/${group}/v1/${plural}/${name}`;
  const contentType = "application/json-patch+json";
  return {
    object: `${kind} ${name}`,
    wish: wanted,
    request: { method: "PATCH", path, contentType, body },
  };
}
