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

/** Configurations that lead to a control plane. */
interface Configurations {
  readonly kind: string;
  readonly plural: string;
  readonly selector: Pick<Resource<unknown>, "fieldSelector" | "labelSelector">;
}

function configurationsOf(what: string, selector: Configurations["selector"]): Configurations {
  return {
    kind: `${what}WebhookConfiguration`,
    plural: `${what.toLowerCase()}webhookconfigurations`,
    selector,
  };
}

/** Those of docker/kubernetes, by their names: objects are checked by the default revision alone. */
export function namedConfigurations(revision: string): readonly Configurations[] {
  const suffix = revision === "default" ? "" : `-${revision}`;
  return [
    ...(revision === "default"
      ? [configurationsOf("Validating", { fieldSelector: "metadata.name=outrider-validation" })]
      : []),
    configurationsOf("Mutating", { fieldSelector: `metadata.name=outrider-injection${suffix}` }),
  ];
}

/** Tags of the revision. Those of istioctl lead to an istiod, which has a root of its own. */
export function tagConfigurations(revision: string): Configurations {
  const labels = ["istio.io/tag", `istio.io/rev=${revision}`, "app.kubernetes.io/managed-by=outriderctl"];
  return configurationsOf("Mutating", { labelSelector: labels.join(",") });
}

interface KeptConfiguration {
  readonly name: string;
  readonly bundles: readonly string[];
}

function resourceOf({ plural, selector }: Configurations): Resource<KeptConfiguration> {
  return {
    plural,
    group,
    versions: ["v1"],
    ...selector,
    // Roles of former releases know one of them.
    mayBeRefused: true,
    keep: ({ webhooks }, { name }) => ({
      name,
      bundles: mappingsOf(webhooks).map(({ clientConfig }) => textOf(mappingOf(clientConfig)["caBundle"])),
    }),
  };
}

/** Until `signal` aborts. Nothing is made where nobody wants a webhook. @param root PEM, as it is now */
export function keepCaBundle(
  {
    root,
    configurations: all,
    ...writing
  }: {
    readonly root: ReadonlyWatch<string>;
    readonly configurations: readonly Configurations[];
  } & Omit<ObjectWriterOptions, "what">,
  signal: AbortSignal,
): Promise<void> {
  return keepObjects(
    { ...writing, what: "webhook" },
    (onChange) => {
      const kept = all.map(
        (configurations) =>
          [configurations, new Reflector(resourceOf(configurations), writing.api, onChange)] as const,
      );
      function* due(): Generator<WantedWrite> {
        const wanted = Buffer.from(root.current).toString("base64");
        for (const [configurations, known] of kept)
          for (const { name, bundles } of known.values()) {
            const wrong = bundles.flatMap((bundle, index) => (bundle === wanted ? [] : [index]));
            if (wrong.length > 0) yield writeOf({ ...configurations, name }, wrong, wanted);
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
  { kind, plural, name }: Configurations & { readonly name: string },
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
