import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { configLines } from "../../../../src/config/proxy-config/print-config.ts";
import { configSources } from "../../../support/config-sources.ts";

test("the printed ProxyConfig is YAML and says where each value came from", () => {
  const { lines, problems } = configLines(
    configSources({
      env: {
        PROXY_CONFIG:
          "{concurrency: 2, proxyMetadata: {A: x}, tracing: {lightstep: {address: 'ls:443', accessToken: hush}}}",
      },
      flags: { discoveryAddress: "istiod:15012" },
      files: {
        "./etc/istio/config/mesh": "defaultConfig: {concurrency: 9, proxyMetadata: {B: y}}\n",
        "./etc/istio/pod/annotations": 'proxy.istio.io/config="statNameLength: 300"\n',
      },
    }),
  );
  assert.deepEqual(problems, []);
  for (const line of [
    'configPath: "./etc/istio/proxy" # default',
    "concurrency: 2 # PROXY_CONFIG",
    'discoveryAddress: "istiod:15012" # --discoveryAddress',
    "statNameLength: 300 # ./etc/istio/pod/annotations: proxy.istio.io/config",
    '  "A": "x" # PROXY_CONFIG',
    '  "B": "y" # ./etc/istio/config/mesh',
  ]) {
    assert.ok(lines.includes(line), `${line} is not among\n${lines.join("\n")}`);
  }
  const printed = parse(lines.join("\n")) as Readonly<Record<string, unknown>>;
  assert.deepEqual(printed["proxyMetadata"], { A: "x", B: "y" });
  assert.ok(!lines.join("\n").includes("hush"));
});

test("what is wrong is listed with its source, beside what is in effect", () => {
  const { lines, problems } = configLines(
    configSources({
      env: { PROXY_CONFIG: "{statusPort: 70000, concurency: 2, extraStatTags: x}" },
      files: { "./etc/istio/config/mesh": "defaultConfig: {statusPort: 0, drainDuration: 1ms}\n" },
    }),
  );
  assert.ok(
    lines.some((line) =>
      line.includes("PROXY_CONFIG: concurency is not a known field; the nearest is concurrency"),
    ),
  );
  assert.deepEqual(
    problems.map(({ source, path }) => `${source} ${path}`),
    ["PROXY_CONFIG extraStatTags", "./etc/istio/config/mesh drainDuration", "PROXY_CONFIG statusPort"],
  );
});

test("the flags follow as comments, each with the name under which its value stands", () => {
  const { lines } = configLines(
    configSources({
      env: { OUTRIDER_SWAP_MODE: "cold", OUTRIDER_SWAP_TIMEOUT: "soon", OUTRIDER_APP_GRACE: "3s" },
      flags: { restartBudget: "7", log_target: "stdout" },
      files: {
        "./etc/istio/pod/annotations":
          'outrider.dev/on-rotate="reload now\\nplease"\noutrider.dev/app-grace="2s"\n',
      },
    }),
  );
  for (const line of [
    "# --swapMode=cold # OUTRIDER_SWAP_MODE",
    "# --appGrace=2s # ./etc/istio/pod/annotations: outrider.dev/app-grace",
    '# --onRotate="reload now\\nplease" # ./etc/istio/pod/annotations: outrider.dev/on-rotate',
    "# --restartBudget=7 # --restartBudget",
    "# --log_target=stdout # --log_target",
    "# --log_as_json=false # default",
    // It is refused, and said so.
    "# --swapTimeout=30s # default",
  ])
    assert.ok(lines.includes(line), `${line} is not among\n${lines.join("\n")}`);
});
