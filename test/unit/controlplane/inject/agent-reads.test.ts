/** What injection writes into the proxy's container is what the agent in it reads: words, variables, probes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commands } from "../../../../src/cli/commands.ts";
import { programOf } from "../../../../src/cli/program.ts";
import { readCommandLine } from "../../../../src/command/command-line.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import type { Container } from "../../../../src/controlplane/inject/pod.ts";
import { configSources } from "../../../support/config-sources.ts";
import { environmentOf, type PodSpec } from "../../../support/image/pod-spec.ts";
import { injected, injectionCases } from "../../../support/injection.ts";

const program = programOf(commands);
const status = { podIp: "10.44.1.2", hostIp: "10.44.1.1" };

/** Words that overrides of these take away. */
const withOwnWords = ["overrides-of-a-native-sidecar"];

for (const each of injectionCases()) {
  const outcome = injected(each);
  if (outcome.kind !== "injected") continue;
  const { spec, metadata } = outcome.pod;
  const containers = [...(spec.initContainers ?? []), ...spec.containers].filter(({ name }) =>
    ["istio-proxy", "istio-init", "istio-validation"].includes(name),
  );
  describe(`injected: ${each.name.replaceAll("-", " ")}`, () => {
    test("every container's words are a command line, its hooks too", async () => {
      for (const container of containers) {
        for (const line of [container.args ?? [], ...hooksOf(container)]) {
          const invocation = await readCommandLine([...line], program);
          assert.equal(invocation.kind, "run", line.join(" "));
          assert.deepEqual(invocation.kind === "run" ? invocation.args.unknown : [], []);
        }
      }
    });

    test("the agent runs with the variables of the proxy's", () => {
      const proxy = containers.find(({ name }) => name === "istio-proxy");
      assert.ok(proxy !== undefined && (withOwnWords.includes(each.name) || proxy.args?.[0] === "proxy"));
      const pod = {
        ...outcome.pod,
        metadata: { ...metadata, name: "web-1", namespace: "demo" },
        // As the API gives one.
        spec: { ...spec, serviceAccountName: "web" },
      } as unknown as PodSpec;
      const env = environmentOf(proxy as unknown as Parameters<typeof environmentOf>[0], pod, status);
      const lines = (pairs: Readonly<Record<string, string>>): string =>
        Object.entries(pairs)
          .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
          .join("\n");
      const config = parseConfig(
        configSources({
          proxyType: proxy.args?.[1] ?? "sidecar",
          env,
          files: {
            "./etc/istio/pod/labels": lines(metadata.labels ?? {}),
            "./etc/istio/pod/annotations": lines(metadata.annotations ?? {}),
          },
        }),
      );
      assert.ok(config !== undefined);
    });
  });
}

function hooksOf(container: Container): readonly (readonly string[])[] {
  const { lifecycle = {} } = container as unknown as {
    readonly lifecycle?: Readonly<
      Record<string, { readonly exec?: { readonly command: readonly string[] } }>
    >;
  };
  return Object.values(lifecycle).flatMap(({ exec }) =>
    exec?.command[0] === "pilot-agent" ? [exec.command.slice(1)] : [],
  );
}
