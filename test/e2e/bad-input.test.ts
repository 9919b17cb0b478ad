import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { certificateFiles } from "../support/ca-files.ts";
import { freePorts } from "../support/free-ports.ts";
import { get, startMs, TestMesh, type TestSidecar } from "../support/mesh.ts";
import { ingress, mutualTls } from "../support/mesh-objects.ts";
import { runOutrider } from "../support/outrider.ts";
import { TestPki } from "../support/test-pki.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const names = [
  "no-token",
  "expired",
  "wrong-root",
  "no-root",
  "nobody",
  "wrong-audience",
  "long-life",
] as const;

/** A sidecar of each name has an inbound listener with mutual TLS: without a certificate its Envoy does not serve. */
let mesh: TestMesh;

before(async () => {
  const ports = await freePorts(2 * names.length);
  const ingresses = names.map((name, index) =>
    ingress(name, ports[2 * index] ?? 0, ports[2 * index + 1] ?? 0),
  );
  mesh = await TestMesh.start({ "ingress.yaml": ingresses, "mtls.yaml": [mutualTls("STRICT")] }, [
    ...["--maxWorkloadTtl", "30h"],
  ]);
});

after(async () => {
  await mesh[Symbol.asyncDispose]();
});

/** The agent goes on, unready, and both its report and its log name cause and remedy. */
async function assertExplains(
  sidecar: TestSidecar,
  part: "identity" | "xds",
  ...expected: readonly RegExp[]
): Promise<void> {
  const problem = await eventually(
    `a problem of ${part}`,
    async () => {
      const found = (await sidecar.report())[part].problem;
      assert.ok(found !== undefined);
      return found;
    },
    { withinMs: startMs },
  );
  for (const pattern of expected) assert.match(problem, pattern);
  assert.equal((await get(sidecar.ports.status, "/healthz/ready")).status, 503);
  assert.ok(
    sidecar.agent.lines.some((line) => expected.every((pattern) => pattern.test(line))),
    `the log does not say it:\n${sidecar.agent.lines.join("\n")}`,
  );
}

describe("the sidecar says what is wrong and goes on", { concurrency: 3 }, () => {
  test("no token file; a token that appears later mends it", async () => {
    const web = await mesh.sidecar("no-token", { token: undefined });
    await assertExplains(
      web,
      "identity",
      /istio-token.*(cannot be read|missing|does not exist)/i,
      /mount/i,
      /istio-ca/,
    );
    writeFileSync(join(web.folder, "var/run/secrets/tokens/istio-token"), await mesh.token("no-token"));
    await web.ready();
  });

  test("a token that has expired is not presented", async () => {
    const web = await mesh.sidecar("expired", {
      token: await mesh.token("expired", { lifetimeMs: -60_000 }),
    });
    await assertExplains(web, "identity", /expired at 20\d\d-/);
  });

  test("wrong root", async () => {
    const web = await mesh.sidecar("wrong-root", { rootPem: (await TestPki.create()).rootPem });
    await assertExplains(web, "identity", /root-cert\.pem/, /CA_ROOT_CA/);
    await assertExplains(web, "xds", /root-cert\.pem/, /XDS_ROOT_CA/);
  });

  test("no root file", async () => {
    const web = await mesh.sidecar("no-root", { rootPem: undefined });
    await assertExplains(web, "identity", /root-cert\.pem/, /istio-ca-root-cert/);
  });

  test("unreachable discovery address", async () => {
    const [nobody = 0] = await freePorts(1);
    const web = await mesh.sidecar("nobody", { proxyConfig: { discoveryAddress: `127.0.0.1:${nobody}` } });
    await assertExplains(
      web,
      "xds",
      new RegExp(`127\\.0\\.0\\.1:${nobody}`),
      /ECONNREFUSED/,
      /discoveryAddress/,
    );
    await assertExplains(web, "identity", /cannot be reached/, /CA_ADDR|discoveryAddress/);
  });

  test("a CSR that the CA refuses", async () => {
    const web = await mesh.sidecar("long-life", { env: { SECRET_TTL: "31h" } });
    await assertExplains(
      web,
      "identity",
      /refused/i,
      /requested TTL 111600s is greater than the max allowed TTL 108000s/,
    );
  });

  test("a token of the wrong audience", async () => {
    const web = await mesh.sidecar("wrong-audience", {
      token: await mesh.token("wrong-audience", { audience: "somebody-else" }),
    });
    await assertExplains(web, "identity", /none of the audiences istio-ca/);
  });
});

describe("the sidecar refuses to start, with every problem and exit code 64", { concurrency: 3 }, () => {
  async function refusal(
    env: Readonly<Record<string, string>>,
    args: readonly string[] = [],
    prepare: (folder: string) => void = () => undefined,
  ): Promise<string> {
    using folder = temporaryFolder();
    prepare(folder.path);
    const { exit, output } = await runOutrider({
      args: ["proxy", "sidecar", ...args],
      cwd: folder.path,
      env: { POD_NAME: "web-1", POD_NAMESPACE: "demo", ISTIO_META_INTERCEPTION_MODE: "NONE", ...env },
      withinMs: 20_000,
    });
    assert.deepEqual(exit, { kind: "exited", code: 64 }, output);
    return output;
  }

  test("malformed PROXY_CONFIG", async () => {
    assert.match(
      await refusal({ PROXY_CONFIG: "{discoveryAddress: [" }),
      /PROXY_CONFIG: line 1, column \d+: not valid YAML/,
    );
  });

  test("wrong fields of PROXY_CONFIG, all of them", async () => {
    const output = await refusal({
      PROXY_CONFIG: "{statusPort: -1, discoveryAddress: nowhere, drainDuration: soon}",
    });
    for (const field of ["statusPort", "discoveryAddress", "drainDuration"])
      assert.match(output, new RegExp(`PROXY_CONFIG: ${field}: `));
  });

  test("an Envoy that is not where it was said to be", async () => {
    const output = await refusal({}, ["--binaryPath", "/nowhere/envoy"]);
    assert.match(output, /binaryPath names \/nowhere\/envoy, which is not an executable file/);
  });

  test("a config path that cannot be written", async () => {
    const output = await refusal(
      { PROXY_CONFIG: "configPath: ./taken/proxy" },
      ["--binaryPath", process.execPath],
      (folder) => {
        writeFileSync(join(folder, "taken"), "a file where a folder is needed");
      },
    );
    assert.match(output, /ProxyConfig: configPath: taken\/proxy|ProxyConfig: configPath: \.\/taken\/proxy/);
    assert.match(output, /cannot be written: .*(ENOTDIR|EEXIST).*writable volume/s);
  });

  test("a port that is taken, by whom", async () => {
    const [port = 0, ...others] = await freePorts(4);
    const [admin = 0, envoyStatus = 0, prometheus = 0] = others;
    const server = createServer().listen(port, "127.0.0.1");
    try {
      const output = await refusal(
        {
          PROXY_CONFIG: `{statusPort: ${port}, proxyAdminPort: ${admin}}`,
          ENVOY_STATUS_PORT: String(envoyStatus),
          ENVOY_PROMETHEUS_PORT: String(prometheus),
        },
        ["--binaryPath", process.execPath],
      );
      assert.match(output, new RegExp(`port ${port} \\(.*statusPort\\) is taken by pid ${process.pid} `));
    } finally {
      server.close();
    }
  });

  test("a file where a socket is to be", async () => {
    const socket = "var/run/secrets/workload-spiffe-uds/socket";
    const output = await refusal({}, ["--binaryPath", process.execPath], (folder) => {
      mkdirSync(join(folder, socket, ".."), { recursive: true });
      writeFileSync(join(folder, socket), "");
      mkdirSync(join(folder, "etc/istio/proxy/XDS"), { recursive: true });
    });
    assert.match(
      output,
      /SDS socket: .*workload-spiffe-uds\/socket exists and is not a socket: move it away/,
    );
    assert.match(output, /XDS socket: .*XDS exists and is not a socket: move it away/);
  });

  test("a Go template", async () => {
    const output = await refusal(
      { ISTIO_BOOTSTRAP: "./bootstrap.tmpl" },
      ["--binaryPath", process.execPath],
      (folder) => {
        writeFileSync(join(folder, "bootstrap.tmpl"), '{"node": {"id": "{{ .nodeID }}"}}');
      },
    );
    assert.match(output, /bootstrap\.tmpl is a Go template/);
  });
});

describe(
  "the control plane refuses to start, with every problem and exit code 64",
  { concurrency: 3 },
  () => {
    async function refusal(prepare: (folder: string) => void, args: readonly string[] = []): Promise<string> {
      using folder = temporaryFolder();
      mkdirSync(join(folder.path, "mesh"));
      prepare(folder.path);
      const { exit, output } = await runOutrider({
        args: [
          "discovery",
          "--secureGrpcPort",
          "0",
          "--grpcPort",
          "0",
          "--httpPort",
          "0",
          "--stateDir",
          "state",
          ...args,
        ],
        cwd: folder.path,
        withinMs: 20_000,
      });
      assert.deepEqual(exit, { kind: "exited", code: 64 }, output);
      return output;
    }

    test("invalid YAML in the folder", async () => {
      const output = await refusal((folder) => {
        writeFileSync(join(folder, "mesh/a.yaml"), "kind: ServiceEntry\nmetadata: [\n");
        writeFileSync(
          join(folder, "mesh/b.yaml"),
          "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: x}\nspec: {mtls: {mode: STRIKT}}\n",
        );
      });
      assert.match(output, /mesh\/a\.yaml:\d+: not valid YAML/);
      assert.match(output, /mesh\/b\.yaml:4: spec\.mtls\.mode: must be one of STRICT, PERMISSIVE/);
    });

    test("a folder that is not there", async () => {
      assert.match(
        await refusal(() => undefined, ["--configDir", "nowhere"]),
        /nowhere: cannot be read: .*ENOENT/,
      );
    });

    test("a plugged-in CA with another CA's key and an unusable root", async () => {
      const [files, other] = await Promise.all([certificateFiles(), certificateFiles()]);
      const output = await refusal(
        (folder) => {
          mkdirSync(join(folder, "cacerts"));
          for (const [name, text] of Object.entries({
            ...files,
            "ca-key.pem": other["ca-key.pem"],
            "root-cert.pem": "nothing",
          }))
            writeFileSync(join(folder, "cacerts", name), text);
        },
        ["--rootCaDir", "cacerts"],
      );
      assert.match(output, /the CA folder cacerts cannot be used:/);
      assert.match(output, /ca-key\.pem: is not the key of ca-cert\.pem/);
      assert.match(output, /root-cert\.pem: holds no certificate in PEM/);
    });

    test("wrong flags, all of them", async () => {
      const output = await refusal(
        () => undefined,
        [
          ...["--defaultWorkloadTtl", "soon", "--jwksFile", "none.json"],
          ...["--trustDomain", "Cluster.local", "--trustDomainAliases", "good.org,a/b"],
        ],
      );
      assert.match(output, /--trustDomain: "Cluster\.local" may have lower case letters/);
      assert.match(output, /--trustDomainAliases: "a\/b" may have/);
      assert.match(output, /--defaultWorkloadTtl: /);
      assert.match(output, /--jwksFile: /);
    });
  },
);
