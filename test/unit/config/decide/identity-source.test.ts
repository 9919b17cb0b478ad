import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError, type ConfigProblem, describeProblem } from "../../../../src/schema/config-problem.ts";
import { workloadApiTarget } from "../../../../src/config/decide/identity-source.ts";
import { ownFlags } from "../../../../src/config/sources/own-flags.ts";
import { readFlags } from "../../../../src/schema/flag-texts.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import type { RotationNotice } from "../../../../src/identity/output-certs.ts";
import type { AgentConfig } from "../../../../src/config/agent-config.ts";
import { configSources, type SourceChanges } from "../../../support/config-sources.ts";

const files = (folder: string): Record<string, string> =>
  Object.fromEntries(["cert-chain", "key", "root-cert"].map((name) => [`${folder}/${name}.pem`, "pem"]));
const spiffe = "./var/run/secrets/workload-spiffe-credentials";

function configOf(env: Record<string, string> = {}, changes: SourceChanges = {}): AgentConfig {
  return parseConfig(configSources({ ...changes, env }));
}

function chainPathOf(env: Record<string, string>, given: Record<string, string> = {}): string {
  const { source } = configOf(env, { files: given }).identity;
  return source.kind === "files" ? source.files.certificateChainPath : source.kind;
}

function problemOf(env: Record<string, string>, changes: SourceChanges = {}): string {
  try {
    configOf(env, changes);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(describeProblem).join("\n");
  }
  assert.fail("the configuration was accepted");
}

describe("the source of the certificate", () => {
  test("is the CA, unless something else is there or asked for", () => {
    assert.equal(chainPathOf({}), "ca");
    assert.equal(chainPathOf({}, files(spiffe)), `${spiffe}/cert-chain.pem`);
    assert.equal(chainPathOf({}, files("./etc/certs")), "./etc/certs/cert-chain.pem");
    assert.equal(chainPathOf({}, { ...files("./etc/certs"), ...files(spiffe) }), `${spiffe}/cert-chain.pem`);
    assert.equal(
      chainPathOf({}, { "./etc/certs/cert-chain.pem": "pem", "./etc/certs/key.pem": "pem" }),
      "ca",
    );
    assert.equal(chainPathOf({ SPIFFE_ENDPOINT_SOCKET: "unix:///run/spire/agent.sock" }), "workload-api");
  });

  test("is not the agent's own output", () => {
    assert.equal(chainPathOf({ OUTPUT_CERTS: "etc/certs/" }, files("./etc/certs")), "ca");
    assert.equal(chainPathOf({ OUTPUT_CERTS: "./out" }, files("./etc/certs")), "./etc/certs/cert-chain.pem");
  });

  test("is mounted files, there or not, with FILE_MOUNTED_CERTS, at the paths that the metadata names", () => {
    const env = { FILE_MOUNTED_CERTS: "true" };
    assert.equal(chainPathOf(env), "./etc/certs/cert-chain.pem");
    assert.equal(
      chainPathOf({ ...env, ISTIO_META_TLS_CLIENT_CERT_CHAIN: "/certs/tls.crt" }),
      "/certs/tls.crt",
    );
    const proxyConfig = { proxyMetadata: { ISTIO_META_TLS_CLIENT_CERT_CHAIN: "/meta/tls.crt" } };
    assert.equal(chainPathOf({ ...env, PROXY_CONFIG: JSON.stringify(proxyConfig) }), "/meta/tls.crt");
    assert.match(problemOf({ ...env, PROV_CERT: "/prov" }), /FILE_MOUNTED_CERTS: it excludes PROV_CERT/);
  });

  test("is GKE's files with GKE's provider; other providers are refused", () => {
    assert.equal(chainPathOf({ CA_PROVIDER: "GkeWorkloadCertificate" }), `${spiffe}/certificates.pem`);
    assert.match(problemOf({ CA_PROVIDER: "GoogleCA" }), /CA provider "GoogleCA" not registered: use/);
  });

  test("a rotation of its files is no change of configuration", () => {
    const { files: followed } = configOf({}, { files: files("./etc/certs") });
    assert.deepEqual(
      followed.filter((path) => path.endsWith(".pem")),
      [],
    );
  });
});

test("SPIFFE_ENDPOINT_SOCKET is an absolute Unix path or an IP address with a port, and nothing more", () => {
  for (const [uri, target] of [
    ["unix:///run/spire/agent.sock", "unix:/run/spire/agent.sock"],
    ["unix:/run/spire/agent.sock", "unix:/run/spire/agent.sock"],
    ["tcp://127.0.0.1:8000", "127.0.0.1:8000"],
    ["tcp://[::1]:8000", "[::1]:8000"],
    ["unix://host/run/agent.sock", undefined],
    ["unix:run/agent.sock", undefined],
    ["unix:///run/agent.sock?x=1", undefined],
    ["tcp://127.0.0.1:8000/foo", undefined],
    ["tcp://spire:8000", undefined],
    ["tcp://127.0.0.1", undefined],
    ["/run/agent.sock", undefined],
  ] as const) {
    assert.equal(workloadApiTarget(uri), target, uri);
  }
  assert.match(
    problemOf({ SPIFFE_ENDPOINT_SOCKET: "nowhere" }),
    /"nowhere" is not unix:\/\/\/absolute\/path/,
  );
});

test("PROV_CERT gives the CA and discovery a client certificate and a root", () => {
  const { identity, xds } = configOf({ PROV_CERT: "/etc/prov" });
  for (const tls of [identity.tls, xds.upstream.tls]) {
    assert.equal(tls?.rootCertificatePath, "/etc/prov/root-cert.pem");
    assert.equal(tls.clientCertificate?.privateKeyPath, "/etc/prov/key.pem");
  }
  const told = configOf({ PROV_CERT: "/etc/prov", CA_ROOT_CA: "SYSTEM" });
  assert.equal(told.identity.tls?.rootCertificatePath, "SYSTEM");
});

for (const bits of ["2047", "8193", "32768", "2147483647", "9007199254740991", "0", "-2048"]) {
  test(`an RSA key of ${bits} bits is refused with the sizes that work`, () => {
    assert.match(
      problemOf({ WORKLOAD_RSA_KEY_SIZE: bits }),
      /^WORKLOAD_RSA_KEY_SIZE: -?\d+ is not from 2048 to 8192/,
    );
  });
}

for (const prefix of ["CA_HEADER_", "XDS_HEADER_"]) {
  test(`a header of ${prefix} that cannot be sent is a problem of the start`, () => {
    assert.match(
      problemOf({ [`${prefix}Connection`]: "close" }),
      new RegExp(`^${prefix}Connection: HTTP/2 has no header connection: remove`),
    );
  });
}

test("headers, cluster and signer go to the CA", () => {
  const { identity } = configOf({
    CA_HEADER_X_Team: "mesh",
    "CA_HEADER_X-One": "1",
    ISTIO_META_CLUSTER_ID: "east",
    ISTIO_META_CERT_SIGNER: "clusterissuers.example",
  });
  assert.deepEqual(identity.caHeaders, { x_team: "mesh", "x-one": "1" });
  assert.equal(identity.clusterId, "east");
  assert.equal(identity.certSigner, "clusterissuers.example");
});

test("the socket is the owner's alone, unless told", () => {
  assert.equal(configOf().sds.mode, 0o600);
  const flags = { socketMode: "0660" };
  assert.equal(configOf({}, { flags }).sds.mode, 0o660);
  assert.match(problemOf({}, { flags: { socketMode: "rw" } }), /--socketMode: "rw" is not an octal mode/);
});

test("the identity is kept under the configuration path where that is in memory, unless told", () => {
  const cacheOf = (identityCache?: string, identityCacheOnDisk = "false"): unknown =>
    configOf(
      {},
      { flags: { identityCacheOnDisk, ...(identityCache === undefined ? {} : { identityCache }) } },
    ).identity.cache;
  const automatic = { folder: "etc/istio/proxy/identity-cache", allowDisk: false, isAutomatic: true };
  assert.deepEqual(cacheOf(), automatic);
  assert.deepEqual(cacheOf("auto"), automatic);
  assert.equal(cacheOf("off"), undefined);
  assert.equal(cacheOf(""), undefined);
  assert.deepEqual(cacheOf("/run/cache", "true"), { folder: "/run/cache", allowDisk: true });
});

test("output is off, unless told", () => {
  assert.equal(configOf().outputCerts, undefined);
  const flags = { onRotate: "/bin/reload  --now", identityCache: "/run/cache" };
  const config = configOf({ OUTPUT_CERTS: "/out", KUBERNETES_SERVICE_HOST: "10.0.0.1" }, { flags });
  assert.deepEqual(config.outputCerts, {
    folder: "/out",
    mode: 0o644,
    onRotate: { kind: "command", file: "/bin/reload", args: ["--now"] },
  });
  assert.deepEqual(config.identity.cache, { folder: "/run/cache", allowDisk: false });
});

test("a private key provider needs its poll delay", () => {
  const given = (cryptomb: object): Record<string, string> => ({
    PROXY_CONFIG: JSON.stringify({ privateKeyProvider: { cryptomb } }),
  });
  assert.deepEqual(configOf(given({ pollDelay: "2s", fallback: true })).sds.privateKeyProvider, {
    name: "cryptomb",
    pollDelayMs: 2_000,
    fallback: true,
  });
  assert.match(problemOf(given({})), /privateKeyProvider\.cryptomb\.pollDelay: it must be a duration/);
});

test("a trust bundle without a certificate is a problem", () => {
  const env = { PROXY_CONFIG: JSON.stringify({ caCertificatesPem: ["nothing"] }) };
  assert.match(problemOf(env), /caCertificatesPem\[0\]: it holds no PEM certificate/);
});

test("--onRotate is a command with arguments, or a signal with a pid file", () => {
  const notices = (text: string): readonly [RotationNotice | undefined, string] => {
    const problems: ConfigProblem[] = [];
    const { onRotate } = readFlags({ onRotate: ownFlags.onRotate }, { onRotate: [text] }, problems);
    return [onRotate, problems.map(describeProblem).join("\n")];
  };
  assert.deepEqual(notices(" "), [undefined, ""]);
  assert.deepEqual(notices("/bin/reload  now"), [
    { kind: "command", file: "/bin/reload", args: ["now"] },
    "",
  ]);
  assert.deepEqual(notices("SIGHUP:/run/app.pid"), [
    { kind: "signal", signal: "SIGHUP", pidFile: "/run/app.pid" },
    "",
  ]);
  for (const wrong of ["SIGNONE:/run/app.pid", "SIGHUP:", "SIGHUP:/run/app.pid twice"]) {
    const [notice, problem] = notices(wrong);
    assert.equal(notice, undefined);
    assert.match(problem, /--onRotate: .*is not a signal with a pid file/);
  }
});
