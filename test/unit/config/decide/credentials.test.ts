import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { AgentConfig } from "../../../../src/config/agent-config.ts";
import { ConfigError, describeProblem } from "../../../../src/schema/config-problem.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import { configSources, type SourceChanges } from "../../../support/config-sources.ts";

function configOf(env: Record<string, string>, changes: SourceChanges = {}): AgentConfig {
  return parseConfig(configSources({ ...changes, env }));
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

function rootsOf(env: Record<string, string>, files: Record<string, string> = {}): readonly unknown[] {
  const { identity, xds } = configOf(env, { files });
  return [identity.tls?.rootCertificatePath, xds.upstream.tls?.rootCertificatePath];
}

const istiod = "./var/run/secrets/istio/root-cert.pem";
const custom = "./etc/certs/root-cert.pem";
const metadata = {
  ISTIO_META_TLS_CLIENT_ROOT_CERT: "/m/root.pem",
  ISTIO_META_TLS_CLIENT_CERT_CHAIN: "/m/chain.pem",
  ISTIO_META_TLS_CLIENT_KEY: "/m/key.pem",
};
const mounted = {
  FILE_MOUNTED_CERTS: "true",
  PROXY_CONFIG: JSON.stringify({ proxyMetadata: metadata }),
};

// Each row: what it shows, the variables, the files, the roots of the CA and of the discovery server.
const roots = [
  ["istiod's unless told", {}, {}, [istiod, istiod]],
  ["Kubernetes' signers use istiod's file", { PILOT_CERT_PROVIDER: "k8s.io/signer" }, {}, [istiod, istiod]],
  ["the custom one", { PILOT_CERT_PROVIDER: "custom" }, {}, [custom, custom]],
  ["a mounted one, for the discovery server", {}, { [custom]: "pem" }, [istiod, custom]],
  ["not the agent's own output", { OUTPUT_CERTS: "etc/certs" }, { [custom]: "pem" }, [istiod, istiod]],
  ["the provisioned one", { PROV_CERT: "/p" }, {}, ["/p/root-cert.pem", "/p/root-cert.pem"]],
  [
    "what is told comes first",
    { PROV_CERT: "/p", CA_ROOT_CA: "SYSTEM", XDS_ROOT_CA: "/x" },
    {},
    ["SYSTEM", "/x"],
  ],
  ["that of file-mounted certificates", mounted, {}, [istiod, "/m/root.pem"]],
] as const;

describe("the root that authenticates the control plane", () => {
  test("is on a machine with our unit where Istio's documentation puts it", () => {
    const unit = readFileSync(
      join(import.meta.dirname, "../../../../docker/systemd/outrider.service"),
      "utf8",
    );
    const [, variables = ""] = /^Environment=(PROV_CERT=.*)$/m.exec(unit) ?? [];
    const env = Object.fromEntries(variables.split(" ").map((each) => each.split("=")));
    assert.deepEqual(rootsOf(env as Record<string, string>, { [custom]: "pem" }), [
      "etc/certs/root-cert.pem",
      "etc/certs/root-cert.pem",
    ]);
    assert.match(unit, /^WorkingDirectory=\/$/m);
    assert.match(unit, /^ReadWritePaths=.*\/etc\/certs/m);
  });

  for (const [name, env, files, expected] of roots) {
    test(`is ${name}`, () => {
      assert.deepEqual(rootsOf(env, files), expected);
    });
  }

  test("is missing with the provider none, where it is needed: both settings are named", () => {
    const none = { PILOT_CERT_PROVIDER: "none" };
    const problem = problemOf(none);
    assert.match(
      problem,
      /PILOT_CERT_PROVIDER: none leaves no root that authenticates the CA: name one in CA_ROOT_CA/,
    );
    assert.match(problem, /authenticates the discovery server: name one in XDS_ROOT_CA/);
    const plain = JSON.stringify({ controlPlaneAuthPolicy: "NONE", discoveryAddress: "istiod:15010" });
    assert.deepEqual(rootsOf({ ...none, PROXY_CONFIG: plain }), [undefined, undefined]);
    assert.deepEqual(rootsOf({ ...none, CA_ROOT_CA: "/c", XDS_ROOT_CA: "/x" }), ["/c", "/x"]);
    // Nobody asks the CA of a workload with another source.
    assert.deepEqual(rootsOf({ ...none, FILE_MOUNTED_CERTS: "true", XDS_ROOT_CA: "/x" })[1], "/x");
  });

  test("is istiod's for a provider that nobody knows, which is said", () => {
    const { warnings, identity } = configOf({ PILOT_CERT_PROVIDER: "vault" });
    assert.match(warnings.join("\n"), /PILOT_CERT_PROVIDER: "vault" is not istiod.*taken as istiod/);
    assert.equal(identity.tls?.rootCertificatePath, istiod);
    assert.deepEqual(configOf({ PILOT_CERT_PROVIDER: "" }).warnings, []);
  });
});

test("the discovery server is shown file-mounted certificates, the CA only provisioned ones", () => {
  const { identity, xds } = configOf(mounted);
  assert.equal(identity.tls?.clientCertificate, undefined);
  assert.deepEqual(xds.upstream.tls?.clientCertificate, {
    certificateChainPath: "/m/chain.pem",
    privateKeyPath: "/m/key.pem",
  });
});

describe("CREDENTIAL_FETCHER_TYPE", () => {
  test("takes the token from where it is mounted, or from Google's metadata server for the trust domain", () => {
    assert.equal(configOf({}).identity.googleToken, undefined);
    assert.equal(configOf({ CREDENTIAL_FETCHER_TYPE: "" }).identity.googleToken, undefined);
    const google = { CREDENTIAL_FETCHER_TYPE: "GoogleComputeEngine", TRUST_DOMAIN: "demo.svc.id.goog" };
    assert.deepEqual(configOf(google).identity.googleToken, {
      host: "169.254.169.254",
      port: 80,
      audience: "demo.svc.id.goog",
    });
    assert.deepEqual(configOf({ ...google, GCE_METADATA_HOST: "127.0.0.1:8080" }).identity.googleToken, {
      host: "127.0.0.1",
      port: 8080,
      audience: "demo.svc.id.goog",
    });
  });

  test("of another kind, or without an audience, is a problem", () => {
    assert.match(
      problemOf({ CREDENTIAL_FETCHER_TYPE: "Mock" }),
      /invalid credential fetcher type "Mock": use JWT/,
    );
    assert.match(
      problemOf({ CREDENTIAL_FETCHER_TYPE: "GoogleComputeEngine", TRUST_DOMAIN: "" }),
      /TRUST_DOMAIN: it is empty, and is the audience/,
    );
  });
});

test("Google's CA is refused: its protocol is another one", () => {
  const env = { CA_ADDR: "meshca.googleapis.com:443" };
  assert.match(problemOf(env), /CA_ADDR: .*CA provider "GoogleCA" not registered/);
  assert.equal(configOf({ ...env, FILE_MOUNTED_CERTS: "true" }).identity.source.kind, "files");
});
