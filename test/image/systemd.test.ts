/** The units of docker/systemd under a systemd, with the release that `npm run image` or `npm run build` has left in dist/. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { eventually } from "../support/eventually.ts";
import { TestMachine } from "../support/image/machine.ts";
import { mutualTls } from "../support/mesh-objects.ts";
import { testEnvoy } from "../support/envoy.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const root = join(import.meta.dirname, "../..");
const outrider = "/opt/outrider/bin/outrider";

/** As `istioctl x workload entry configure` writes it. */
const clusterVariables = {
  ISTIO_META_CLUSTER_ID: "Kubernetes",
  ISTIO_META_DNS_CAPTURE: "true",
  ISTIO_META_MESH_ID: "",
  ISTIO_META_NETWORK: "",
  ISTIO_META_WORKLOAD_NAME: "vm",
  ISTIO_METAJSON_LABELS: '{"app":"vm","service.istio.io/canonical-name":"vm"}',
  POD_NAMESPACE: "demo",
  SERVICE_ACCOUNT: "vm",
  TRUST_DOMAIN: "cluster.local",
};

const meshConfig = (more: object): string =>
  stringify({ defaultConfig: { discoveryAddress: "istiod.istio-system.svc:15012", ...more } });

/** As the units and docker/README.md say it. */
async function install(machine: TestMachine): Promise<void> {
  machine.write("/usr/local/bin/envoy", readFileSync(await testEnvoy()));
  await machine.execute(
    "chmod 755 /usr/local/bin/envoy",
    "mkdir -p /opt/outrider && cp -a /repository/dist/. /opt/outrider/",
    "useradd --system --user-group --uid 1337 --no-create-home --shell /usr/sbin/nologin istio-proxy",
    "install --directory --owner=istio-proxy --group=istio-proxy /etc/certs /etc/istio/proxy",
  );
  for (const name of ["outrider.service", "outrider-capture.service"])
    machine.write(`/etc/systemd/system/${name}`, readFileSync(join(root, "docker/systemd", name)));
  machine.write("/etc/hosts", "127.0.0.1 localhost vm istiod.istio-system.svc\n");
  machine.write("/etc/istio/config/mesh", meshConfig({ tracing: {} }));
  machine.write(
    "/var/lib/istio/envoy/cluster.env",
    Object.entries(clusterVariables)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
}

/** On the same machine; and what it gives a new one. */
async function startControlPlane(machine: TestMachine): Promise<void> {
  machine.write("/srv/mesh/mtls.yaml", stringify(mutualTls("STRICT")));
  machine.write("/root/credentials.mjs", readFileSync(join(root, "docker/compose/credentials.mjs")));
  const state = "/var/lib/control-plane/own";
  await machine.execute(
    "mkdir -p /var/lib/control-plane /var/run/secrets/tokens",
    `systemd-run --unit=control-plane ${outrider} discovery --configDir=/srv/mesh --stateDir=${state} --plainGrpc=off`,
    `${outrider} wait --url=http://127.0.0.1:8080/ready --timeoutSeconds=60`,
    `/opt/outrider/lib/node /root/credentials.mjs ${state} demo/vm=/var/run/secrets/tokens`,
    "install --owner=istio-proxy /var/run/secrets/tokens/root-cert.pem /etc/certs/root-cert.pem",
  );
}

const isReady = `${outrider} wait --timeoutSeconds=60`;

/** Lines of the journal that a pattern finds. */
async function said(machine: TestMachine, pattern: RegExp): Promise<readonly string[]> {
  const journal = await machine.execute("journalctl --unit=outrider --no-pager --output=cat");
  return journal.split("\n").filter((line) => pattern.test(line));
}

const hasRules = (machine: TestMachine): Promise<string> =>
  machine.execute("iptables-save | grep --count 15001 || true");

// Beside other work it takes longer than the runner allows one test.
const options = { timeout: 600_000 };

test("a machine's sidecar starts, restarts, takes a change and stops under systemd", options, async (t) => {
  using folder = temporaryFolder();
  await using machine = await TestMachine.start(folder.path);
  await install(machine);
  await startControlPlane(machine);
  const property = async (name: string): Promise<string> =>
    (await machine.execute(`systemctl show outrider --property=${name} --value`)).trim();

  await t.test("systemd has nothing against the units, and finds little open", async () => {
    await machine.execute(
      "systemd-analyze verify outrider.service outrider-capture.service",
      "systemd-analyze security --threshold=30 outrider outrider-capture",
    );
  });
  await t.test("it is ready, and traffic is captured", async () => {
    await machine.execute("systemctl daemon-reload", "systemctl enable --now outrider", isReady);
    assert.notEqual((await hasRules(machine)).trim(), "0");
  });
  await t.test("it is started again when it is killed", async () => {
    await machine.execute("systemctl kill --signal=KILL --kill-whom=main outrider");
    await eventually(
      "another one",
      async () => {
        assert.equal(await property("NRestarts"), "1");
      },
      { withinMs: 60_000 },
    );
    await machine.execute(isReady);
  });
  await t.test("a reload swaps Envoy", async () => {
    machine.write("/etc/istio/config/mesh", meshConfig({ concurrency: 1 }));
    await machine.execute("systemctl reload outrider");
    assert.equal((await said(machine, /Envoy swapped/)).length, 1);
  });
  await t.test("a stop drains, takes the rules out again, and is over when both are done", async () => {
    await machine.execute("systemctl stop outrider-capture");
    assert.equal(await property("Result"), "success");
    assert.equal(await property("ExecMainStatus"), "0");
    assert.equal((await said(machine, /drained\s+because=/)).length, 1);
    assert.equal((await hasRules(machine)).trim(), "0");
  });
  await t.test("a stop of the sidecar alone takes the rules out too", async () => {
    await machine.execute("systemctl start outrider", isReady);
    assert.notEqual((await hasRules(machine)).trim(), "0");
    await machine.execute("systemctl stop outrider");
    await eventually(
      "no rules",
      async () => {
        assert.equal((await hasRules(machine)).trim(), "0");
      },
      { withinMs: 30_000 },
    );
  });
});
