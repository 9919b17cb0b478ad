/** outriderctl beside a real mesh: what it shows is what control plane and Envoys have. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openTokenIssuer } from "../../../src/controlplane/demo-tokens.ts";
import { eventually } from "../../support/eventually.ts";
import { get } from "../../support/mesh.ts";
import { runCtl } from "../../support/outriderctl.ts";
import { startWebAndApi, type WebAndApi } from "../../support/web-and-api.ts";

const withinMs = 20_000;

describe("outriderctl beside a mesh", () => {
  let mesh: WebAndApi;
  before(async () => {
    mesh = await startWebAndApi();
  });
  after(() => mesh[Symbol.asyncDispose]());

  /** Flags of whoever asks over TLS. */
  async function overTls(namespace: string): Promise<readonly string[]> {
    const { folder, controlPlanePorts } = mesh.mesh;
    const issuer = await openTokenIssuer(join(folder, "state"));
    const token = join(folder, `${namespace}.token`);
    const lifetimeMs = 3_600_000;
    writeFileSync(
      token,
      await issuer.issue({ namespace, serviceAccount: "default", audience: "istio-ca", lifetimeMs }),
    );
    const ca = join(folder, "state/root-cert.pem");
    return ["--xds-address", `localhost:${controlPlanePorts.tls}`, "--ca-file", ca, "--token-file", token];
  }

  test("shows every proxy in step, by its pages and by the debug interface alike", async () => {
    const asked = [[], await overTls("istio-system")];
    await eventually(
      "both proxies in step",
      async () => {
        for (const flags of asked) {
          const { code, lines, errors } = await runCtl("ps", ...flags);
          assert.deepEqual([code, errors], [0, []]);
          assert.match(lines[0] ?? "", /^NAME +CLUSTER +CDS +LDS +EDS +RDS +ECDS +ISTIOD +VERSION$/);
          const cells = lines.slice(1).map((line) => line.split(/ {2,}/).slice(0, 7));
          // The server has no outbound listener that would ask for routes.
          assert.deepEqual(cells, [
            ["api-1.demo", "-", "SYNCED", "SYNCED", "SYNCED", "NOT SENT", "NOT SENT"],
            ["web-1.demo", "-", "SYNCED", "SYNCED", "SYNCED", "SYNCED", "NOT SENT"],
          ]);
        }
      },
      { withinMs },
    );
  });

  test("finds no difference between what was sent and what an Envoy has, and one with another Envoy's", async () => {
    const same = await runCtl("proxy-status", "web-1.demo");
    assert.deepEqual([same.code, same.lines.filter((line) => line.includes("Don't"))], [0, []]);
    const { body } = await get(mesh.api.ports.admin, "/config_dump?include_eds");
    const file = join(mesh.mesh.folder, "api.json");
    writeFileSync(file, body);
    const other = await runCtl("proxy-status", "web-1.demo", "--file", file);
    assert.equal(other.code, 2);
    assert.ok(other.lines.includes("Listeners Don't Match"), other.lines.join("\n"));
  });

  test("shows what an Envoy has, alive and from a file", async () => {
    const rows = async (...words: readonly string[]): Promise<readonly (readonly string[])[]> => {
      const { code, lines, errors } = await runCtl("proxy-config", ...words);
      assert.deepEqual([code, errors], [0, []]);
      return lines.slice(1).map((line) => line.split(/ {2,}/));
    };
    const api = "outbound|80||api.demo.svc.cluster.local";
    const endpoints = [[`127.0.0.1:${mesh.inboundPort}`, "HEALTHY", "OK", api]];
    assert.deepEqual(await rows("endpoint", "web-1.demo", "--cluster", api), endpoints);
    const { body } = await get(mesh.web.ports.admin, "/config_dump?include_eds");
    const file = join(mesh.mesh.folder, "web.json");
    writeFileSync(file, body);
    assert.deepEqual(await rows("endpoint", "--file", file, "--cluster", api), endpoints);
    const clusters = ["cluster", "--fqdn", "api.demo"];
    assert.deepEqual(await rows(...clusters, "web-1.demo"), await rows(...clusters, "--file", file));
    const byText = (a: readonly string[], b: readonly string[]): number => (a.join() < b.join() ? -1 : 1);
    const secrets = await rows("secret", "web-1.demo");
    assert.deepEqual(secrets.map((cells) => cells.slice(0, 4)).toSorted(byText), [
      ["ROOTCA", "CA", "ACTIVE", "true"],
      ["default", "Cert Chain", "ACTIVE", "true"],
    ]);
    const all = await runCtl("pc", "all", "web-1.demo", "-o", "json");
    const value = JSON.parse(all.lines.join("\n")) as Readonly<Record<string, readonly unknown[]>>;
    assert.deepEqual(Object.keys(value), ["cluster", "listener", "route", "endpoint", "secret", "ecds"]);
    assert.ok(value["listener"]?.length);
    assert.ok(!all.lines.some((line) => line.includes("PRIVATE KEY")));
  });

  test("describes a pod and a service, with the policy that decides and its place", async () => {
    const pod = await runCtl("describe", "pod", "api-1.demo");
    assert.deepEqual([pod.code, pod.errors], [0, []]);
    const text = pod.lines.join("\n");
    assert.match(text, /Identity: spiffe:\/\/cluster\.local\/ns\/demo\/sa\/api$/m);
    const port = `Port ${mesh.inboundPort}: mutual TLS STRICT, by PeerAuthentication demo/default`;
    assert.ok(text.includes(`${port} (${join(mesh.mesh.configFolder, "mtls.yaml")}:1)`), text);
    assert.match(text, /AuthorizationPolicies: none/);
    const service = await runCtl("describe", "service", "api.demo");
    assert.match(
      service.lines.join("\n"),
      /^Service: api\.demo\.svc\.cluster\.local.*\n {3}Port: 80 http \(HTTP\)/,
    );
    const unknown = await runCtl("describe", "service", "cart.demo");
    assert.deepEqual([unknown.code, unknown.errors.length], [1, 1]);
    const policies = await runCtl("authz", "check", "api-1.demo");
    assert.deepEqual(policies.lines, ["api-1.demo enforces no AuthorizationPolicy"]);
  });

  test("says where the pages of an Envoy and of its agent are", async () => {
    const { admin, status } = mesh.web.ports;
    for (const [kind, port] of [
      ["envoy", admin],
      ["agent", status],
    ] as const) {
      const { code, lines } = await runCtl("dashboard", kind, "web-1.demo");
      assert.deepEqual([code, lines], [0, [`http://127.0.0.1:${port}/`]]);
    }
    const { code, errors } = await runCtl("dashboard", "mesh");
    assert.deepEqual([code, errors], [64, ["no mesh of `outrider up` of this user runs here"]]);
  });

  test("sets the level of an Envoy's loggers, and reads it", async () => {
    const levels = async (...words: readonly string[]): Promise<string> =>
      (await runCtl("proxy-config", "log", "web-1.demo", ...words)).lines.join("\n");
    assert.match(await levels("--level", "http:debug"), /^ *http: debug$/m);
    assert.match(await levels(), /^ *http: debug$/m);
    assert.match(await levels("--reset"), /^ *http: warning$/m);
  });

  test("tells the releases of control plane and proxies", async () => {
    const { lines } = await runCtl("version");
    assert.match(
      lines.join("\n"),
      /^client version: (.*)\ncontrol plane version: \1 .*\ndata plane version: \1 \(2 proxies\)$/,
    );
  });

  test("says who does not answer, and how to reach it", async () => {
    const strange = await runCtl("ps", ...(await overTls("demo")));
    assert.equal(strange.code, 1);
    assert.match(
      strange.errors.join("\n"),
      /localhost:\d+ did not answer .*istio-system.*--cert-dir or --token-file/,
    );
    const nobody = await runCtl("ps", "--http-address", "127.0.0.1:1");
    assert.equal(nobody.code, 1);
    assert.match(nobody.errors.join("\n"), /127\.0\.0\.1:1 did not answer .*--xds-address/);
    const unknown = await runCtl("ps", "cart-1.demo");
    assert.equal(unknown.code, 64);
    assert.match(unknown.errors.join("\n"), /cart-1\.demo; there are api-1\.demo, web-1\.demo/);
  });
});
