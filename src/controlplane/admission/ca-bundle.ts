/**
 * The root in the configuration of the webhook: the API server knows it by that (`clientConfig.caBundle`), and it is written where
 * it is another one.
 */
import { sleep } from "../../lifecycle/sleep.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { Watch } from "../../lifecycle/watch.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { Reflector } from "../kubernetes/reflector.ts";
import { mappingOf, mappingsOf, type Resource, textOf } from "../kubernetes/resource.ts";

/** Name of the configuration that docker/kubernetes has. */
const name = "outrider-validation";

/** After a write that failed, in milliseconds. */
const againMs = 2_000;

const configurations: Resource<{ readonly bundles: readonly string[] }> = {
  plural: "validatingwebhookconfigurations",
  group: "admissionregistration.k8s.io",
  versions: ["v1"],
  fieldSelector: `metadata.name=${name}`,
  keep: ({ webhooks }) => ({
    bundles: mappingsOf(webhooks).map(({ clientConfig }) => textOf(mappingOf(clientConfig)["caBundle"])),
  }),
};

/** Until `signal` aborts. Nothing is made where nobody wants a webhook. @param root PEM, as it is now */
export async function keepCaBundle(
  { api, root, log }: { readonly api: KubernetesApi; readonly root: Watch<string>; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const changes = new Watch(0);
  const onChange = (): void => {
    changes.set(changes.current + 1);
  };
  await using tasks = new TaskGroup();
  const stop = AbortSignal.any([signal, tasks.signal]);
  const known = new Reflector(configurations, api, onChange);
  tasks.spawn("follow-webhook", () => known.run(stop));
  tasks.spawn("follow-root", async () => {
    for await (const _ of root.changes(stop)) onChange();
  });
  let told = "";
  for await (const _ of changes.changes(stop)) {
    const wanted = Buffer.from(root.current).toString("base64");
    const wrong = [...known.values()].flatMap(({ bundles }) =>
      bundles.flatMap((bundle, index) => (bundle === wanted ? [] : [index])),
    );
    if (wrong.length === 0) continue;
    const body = wrong.map((index) => ({
      op: "add",
      path: `/webhooks/${index}/clientConfig/caBundle`,
      value: wanted,
    }));
    const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${name}`;
    try {
      await api.send({ method: "PATCH", path, contentType: "application/json-patch+json", body }, stop);
      log.info("the webhook's configuration has the root", { configuration: name });
    } catch (error) {
      if (stop.aborted) return;
      const reason = errorMessage(error);
      if (reason !== told)
        log.warn("the webhook's configuration has not the root", { configuration: name, reason });
      told = reason;
      await sleep(againMs, stop);
      onChange();
    }
  }
}
