import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { GrpcServer } from "../../src/grpc/server.ts";
import { TestCa } from "../support/ca.ts";
import { diagnose, type DiagnosisChanges } from "../support/doctor.ts";
import { expectFinding } from "../support/findings.ts";
import { freePorts } from "../support/free-ports.ts";
import { makeMemoryCgroup } from "../support/memory-cgroup.ts";
import { TestMesh } from "../support/mesh.ts";
import { egress, mutualTls } from "../support/mesh-objects.ts";
import { runOutrider, startOutrider } from "../support/outrider.ts";
import { hasRoot } from "../support/privilege.ts";
import { startEnvoyOn } from "../support/stray-envoy.ts";
import { TestPki, validity } from "../support/test-pki.ts";
import { prepareWorkload, rootPath, sidecarReady, tokenPath, type Workload } from "../support/workload.ts";

let mesh: TestMesh;
let number = 0;

before(async () => {
  const [outbound = 0] = await freePorts(1);
  mesh = await TestMesh.start({ "web.yaml": [egress("web", outbound)], "mtls.yaml": [mutualTls("STRICT")] });
});

after(async () => {
  await mesh[Symbol.asyncDispose]();
});

/** A workload with nothing wrong. */
function workload(proxyConfig: Readonly<Record<string, unknown>> = {}): Promise<Workload> {
  number += 1;
  return prepareWorkload(mesh, `web${number}`, proxyConfig);
}

/** Exactly these findings fail, and the exit code says that some do. */
async function expectFailures(
  one: Workload,
  expected: Readonly<Record<string, readonly [seen: RegExp, remedy: RegExp]>>,
  changes: DiagnosisChanges = {},
): Promise<void> {
  const diagnosis = await diagnose(one, changes);
  const failures = diagnosis.findings.filter(({ verdict }) => verdict === "failure");
  assert.deepEqual(
    failures.map(({ name }) => name).toSorted(),
    Object.keys(expected).toSorted(),
    diagnosis.output,
  );
  for (const finding of failures) {
    const [seen, remedy] = expected[finding.name] ?? [/^$/, /^$/];
    expectFinding(finding, "failure", seen, remedy);
  }
  assert.equal(diagnosis.code, 1);
  assert.ok(diagnosis.tookMs < 5_000, `took ${diagnosis.tookMs} ms`);
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

describe("doctor", () => {
  test("finds nothing wrong with a sidecar that would start, in a form for scripts and one for people", async () => {
    const web = await workload();
    const { code, findings, output, tookMs } = await diagnose(web);
    assert.equal(code, 0, output);
    assert.deepEqual(
      findings.filter(({ verdict }) => verdict === "failure"),
      [],
    );
    assert.ok(tookMs < 5_000);
    const { version, summary } = JSON.parse(output) as { version: number; summary: Record<string, number> };
    assert.equal(version, 1);
    assert.equal((summary["ok"] ?? 0) + (summary["warning"] ?? 0), findings.length);
    assert.doesNotMatch(output, new RegExp((await mesh.token("web")).slice(0, 30)), "the token was printed");

    const people = await runOutrider({ args: ["doctor"], cwd: web.folder, env: web.env, withinMs: 20_000 });
    assert.match(people.output, /^✔ configuration +flags, environment/);
    assert.match(people.output, /\n0 failures, \d+ warnings?, \d+ ok in \d\.\d s$/);
    assert.ok(!people.output.includes("\u001B"), "coloured although it is no terminal");
  });

  test("leaves nothing behind", async () => {
    const web = await workload();
    await diagnose(web);
    assert.throws(() => {
      mkdirSync(join(web.folder, "etc/istio/proxy/x"));
    }, /ENOENT/);
  });

  test("a configuration that cannot be used: every problem, every other check, exit code 64", async () => {
    const web = await workload({ statusPort: -1, drainDuration: "soon" });
    const { code, named, output } = await diagnose(web, { args: ["--newFlag=1"] });
    assert.equal(code, 64);
    const text = JSON.stringify(named("configuration"));
    for (const part of [/statusPort: -1/, /drainDuration/, /--newFlag=1/]) assert.match(text, part);
    for (const name of ["token", "discovery", "ca", "envoy-binary"]) {
      assert.equal(named(name)[0]?.verdict, "ok", output);
    }
  });
});

describe("doctor names what is broken, and the remedy:", () => {
  test("a configPath that cannot be written", async () => {
    const web = await workload({ configPath: "./taken/proxy" });
    web.write("taken", "a file where a folder is needed");
    await expectFailures(web, { "config-path": [/taken.*is not a folder/, /emptyDir.*configPath/] });
  });

  test("a configPath that is too long for sockets", async () => {
    await expectFailures(await workload({ configPath: `./${"x".repeat(90)}` }), {
      "socket-paths": [/admin\.sock has 1\d\d bytes of 107/, /configPath/],
      bootstrap: [/Envoy refuses it: .*admin\.sock/, /ProxyConfig/],
    });
  });

  test("a port that is taken", async () => {
    const web = await workload();
    const server = createServer().listen(web.ports.status, "127.0.0.1");
    try {
      await expectFailures(web, {
        ports: [new RegExp(`port ${web.ports.status} .*pid ${process.pid} `), /another port/],
      });
    } finally {
      server.close();
    }
  });

  test("a token that has expired", async () => {
    const web = await workload();
    web.write(tokenPath, await mesh.token("web", { lifetimeMs: -60_000 }));
    await expectFailures(web, { token: [/expired 1 min .*ago/, /kubelet/] });
  });

  test("a token of another audience, which the control plane refuses", async () => {
    const web = await workload();
    web.write(tokenPath, await mesh.token(`web${number}`, { audience: "somebody-else" }));
    await expectFailures(web, {
      discovery: [/does not accept the token.*audience is none of istio-ca/, /audience/],
      ca: [/does not accept the token.*audience is none of istio-ca/, /audience/],
    });
  });

  test("no token", async () => {
    const web = await workload();
    web.write(tokenPath, undefined);
    await expectFailures(web, { token: [/cannot be read: ENOENT/, /istio-ca/] });
  });

  test("a root of another mesh", async () => {
    const web = await workload();
    web.write(rootPath, (await TestPki.create()).rootPem);
    const seen = /is not trusted by the root .*root-cert\.pem: .*\(TLS handshake/;
    await expectFailures(web, { discovery: [seen, /XDS_ROOT_CA/], ca: [seen, /CA_ROOT_CA/] });
  });

  test("no root", async () => {
    const web = await workload();
    web.write(rootPath, undefined);
    const asked = /was not asked/;
    await expectFailures(web, {
      "root-certificate": [/ENOENT/, /istio-ca-root-cert.*XDS_ROOT_CA and CA_ROOT_CA/],
      discovery: [asked, /root-certificate/],
      ca: [asked, /root-certificate/],
    });
  });

  test("a name that is not in the control plane's certificate", async () => {
    const seen = /certificate for another name/;
    await expectFailures(
      await workload(),
      { discovery: [seen, /ISTIOD_SAN/], ca: [seen, /ISTIOD_SAN/] },
      { env: { ISTIOD_SAN: "istiod.elsewhere.example" } },
    );
  });

  test("a discovery server that does not listen, beside a CA that does", async () => {
    const [nobody = 0] = await freePorts(1);
    await expectFailures(
      await workload({ discoveryAddress: `localhost:${nobody}` }),
      {
        discovery: [
          new RegExp(`localhost:${nobody} cannot be reached: connect ECONNREFUSED`),
          /discoveryAddress/,
        ],
      },
      { env: { CA_ADDR: `localhost:${mesh.controlPlanePorts.tls}` } },
    );
  });

  test("a server that takes connections and never answers", async () => {
    const server = createServer();
    const port = await listening(server);
    try {
      await expectFailures(
        await workload(),
        { ca: [/did not answer within \d+ ms \(TLS handshake\)/, /something else may listen/] },
        { env: { CA_ADDR: `localhost:${port}` } },
      );
    } finally {
      server.close();
    }
  });

  test("a web server in the place of the CA", async () => {
    const server = createHttpServer((_request, response) => response.end("hello"));
    const port = await listening(server);
    try {
      await expectFailures(
        await workload(),
        {
          ca: [/the CA 127\.0\.0\.1:\d+ cannot be reached: it does not speak TLS \(TLS handshake/, /CA_ADDR/],
        },
        { env: { CA_ADDR: `127.0.0.1:${port}` } },
      );
    } finally {
      server.close();
    }
  });

  test("a CA in the place of the discovery server", async () => {
    await using ca = await TestCa.listen();
    const web = await workload({ discoveryAddress: ca.address });
    web.write(rootPath, ca.pki.rootPem);
    await expectFailures(web, {
      discovery: [/speaks gRPC, but has no envoy\.service\.discovery/, /discoveryAddress/],
    });
    assert.equal(ca.calls.length, 1);
    assert.equal(ca.calls[0]?.csr, "", "a certificate was asked for");
  });

  test("a name that does not exist", async () => {
    const asked = /was not asked: its name is not resolved/;
    await expectFailures(await workload({ discoveryAddress: "istiod.nowhere.invalid:15012" }), {
      dns: [/istiod\.nowhere\.invalid is not resolved: (ENOTFOUND|EAI_AGAIN).*nameservers/, /resolv\.conf/],
      discovery: [asked, /dns/],
      ca: [asked, /dns/],
    });
  });

  test("a clock that is behind the control plane's", async () => {
    const pki = await TestPki.create();
    const pair = await pki.serverKeyPair(["localhost"], validity(600_000, 3_600_000));
    await using server = await GrpcServer.listen(
      {
        host: "127.0.0.1",
        port: 0,
        tls: { certificateChain: pair.certificatePem, privateKey: pair.privateKeyPem },
      },
      [],
    );
    const web = await workload({ discoveryAddress: `localhost:${server.port}` });
    web.write(rootPath, pki.rootPem);
    const seen = /not valid now: certificate is not yet valid/;
    await expectFailures(
      web,
      {
        discovery: [seen, /clocks/],
        ca: [seen, /clocks/],
        clock: [/behind by at least (9 min \d+ s|10 min)/, /NTP/],
      },
      { env: { ISTIOD_SAN: "localhost" } },
    );
  });

  test("a program that is no Envoy", async () => {
    const node = process.execPath;
    await expectFailures(
      await workload(),
      {
        "envoy-binary": [/does not answer --version as Envoy does/, /ENVOY_PATH/],
        bootstrap: [/Envoy refuses it/, /correct/],
      },
      { env: { ENVOY_PATH: node } },
    );
    await expectFailures(
      await workload(),
      { "envoy-binary": [/ENVOY_PATH names \/nowhere\/envoy/, /correct the path/] },
      { env: { ENVOY_PATH: "/nowhere/envoy" } },
    );
  });

  test("an override that Envoy refuses, and a template that cannot be rendered", async () => {
    const web = await workload();
    web.write(
      "override.json",
      JSON.stringify({ static_resources: { clusters: [{ name: "x", connect_timeout: "soon" }] } }),
    );
    await expectFailures(
      web,
      {
        bootstrap: [
          /Envoy refuses it: static_resources\.clusters\[\d+\]\.connect_timeout/,
          /ISTIO_BOOTSTRAP_OVERRIDE/,
        ],
      },
      { env: { ISTIO_BOOTSTRAP_OVERRIDE: "./override.json" } },
    );
    web.write("mine.yaml", "node: {$eval: nobodyKnows}\n");
    await expectFailures(
      web,
      { bootstrap: [/mine\.yaml cannot be rendered: .*nobodyKnows/, /template/] },
      { env: { ISTIO_BOOTSTRAP: "./mine.yaml" } },
    );
  });

  test("too few files", async () => {
    await expectFailures(
      await workload(),
      { "open-files": [/the hard limit is 128: room for about 32 proxied connections/, /nofile/] },
      { within: ["prlimit", "--nofile=128:128"] },
    );
  });
});

describe("doctor warns, and the exit code stays 0:", () => {
  async function expectWarning(
    one: Workload,
    name: string,
    seen: RegExp,
    remedy: RegExp,
    changes: DiagnosisChanges = {},
  ): Promise<void> {
    const { code, named, output } = await diagnose(one, changes);
    expectFinding(named(name)[0], "warning", seen, remedy);
    assert.equal(code, 0, output);
  }

  test("more worker threads than CPUs, ports among the ephemeral ones", async () => {
    const web = await workload({ concurrency: 512, statusPort: 40_123 });
    await expectWarning(web, "cpu", /512 worker threads/, /concurrency in ProxyConfig/);
    await expectWarning(
      web,
      "port-range",
      /40123 \(ProxyConfig statusPort\)/,
      /ip_local_reserved_ports=40123/,
    );
  });

  test("a user whose traffic Istio's rules would capture", async () => {
    await expectWarning(await workload(), "user", /INTERCEPTION_MODE REDIRECT/, /runAsUser/, {
      env: { ISTIO_META_INTERCEPTION_MODE: "REDIRECT" },
    });
  });

  test("little memory, and none", async (t) => {
    for (const [limitMib, verdict] of [
      [220, "warning"],
      [120, "failure"],
    ] as const) {
      const cgroup = makeMemoryCgroup(limitMib * 2 ** 20);
      if ("reason" in cgroup) {
        assert.notEqual(process.env["CI"], "true", cgroup.reason);
        t.skip(cgroup.reason);
        return;
      }
      using _ = cgroup;
      const web = await workload();
      const { named, code } = await diagnose(web, {
        within: cgroup.launcher,
      });
      expectFinding(named("memory")[0], verdict, new RegExp(`a limit of ${limitMib} MiB`), /memory limit/);
      assert.equal(code, verdict === "failure" ? 1 : 0);
    }
  });

  test("no /dev/shm; with --swapMode=hot that is a failure", async (t) => {
    if (!hasRoot(t)) return;
    const script =
      "mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 444 /dev/urandom c 1 9 && " +
      'ln -s /proc/self/fd /dev/fd && exec "$@"';
    const within = ["unshare", "-m", "sh", "-c", script, "sh"];
    const web = await workload();
    await expectWarning(web, "shared-memory", /\/dev\/shm does not exist/, /emptyDir.*without hot restart/, {
      within,
    });
    const { code, named } = await diagnose(web, { within, args: ["--swapMode=hot"] });
    expectFinding(named("shared-memory")[0], "failure", /does not exist/, /emptyDir/);
    assert.equal(code, 1);
  });

  test("a shell as PID 1", async (t) => {
    if (!hasRoot(t)) return;
    await expectWarning(await workload(), "pid-1", /a shell \(sh -c/, /exec/, {
      within: ["unshare", "-p", "-f", "--mount-proc", "sh", "-c", '"$@"; exit $?', "sh"],
    });
  });

  test("a /dev/shm that is read-only", async (t) => {
    if (!hasRoot(t)) return;
    await expectWarning(await workload(), "shared-memory", /cannot be written: EROFS/, /writable tmpfs/, {
      within: ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none /dev/shm && exec "$@"', "sh"],
    });
  });

  test("a segment of another user's Envoy", async (t) => {
    if (!hasRoot(t)) return;
    const script =
      "mount -t tmpfs none /dev/shm && touch /dev/shm/envoy_shared_memory_0 && " +
      'exec setpriv --reuid 1337 --regid 1337 --clear-groups "$@"';
    const { named } = await diagnose(await workload(), {
      within: ["unshare", "-m", "sh", "-c", script, "sh"],
    });
    expectFinding(
      named("hot-restart-base-id")[0],
      "warning",
      /uid 1337.*envoy_shared_memory_0 \(uid 0\)/,
      /rm \/dev\/shm\/envoy_shared_memory_0/,
    );
  });

  test("settings of a network namespace of its own", async (t) => {
    if (!hasRoot(t)) return;
    const [mode, range] = ["net.ipv4.tcp_migrate_req", "net.ipv4.ip_local_port_range"];
    const script = `ip link set lo up; sysctl -qw ${mode}=1 '${range}=1024 65535'; exec "$@"`;
    const { named } = await diagnose(await workload(), {
      within: ["unshare", "-n", "sh", "-c", script, "sh"],
    });
    expectFinding(named("tcp-migrate-req")[0], "ok", /is 1/);
    expectFinding(named("port-range")[0], "warning", /1024-65535.*ENVOY_STATUS_PORT/, /reserved/);
  });
});

describe("doctor answers in time", () => {
  test("when no nameserver does", async (t) => {
    if (!hasRoot(t)) return;
    const web = await workload({ discoveryAddress: "istiod.nowhere.example:15012" });
    writeFileSync(join(web.folder, "resolv.conf"), "nameserver 192.0.2.1\n");
    const started = performance.now();
    const { named, tookMs } = await diagnose(web, {
      within: [
        ...["unshare", "-m", "-n", "sh", "-c"],
        'ip link set lo up; ip route add 192.0.2.0/24 dev lo; mount --bind resolv.conf /etc/resolv.conf && exec "$@"',
        "sh",
      ],
    });
    expectFinding(named("dns")[0], "failure", /not resolved.*nameservers 192\.0\.2\.1/, /nameserver/);
    assert.ok(tookMs < 5_000, `took ${tookMs} ms`);
    assert.ok(performance.now() - started < 8_000, "it hung on after its report");
  });
});

describe("doctor beside a running agent", () => {
  test("takes its flags, finds its ports in its own hands, and a stranger on one of them", async () => {
    const web = await workload();
    await using agent = startOutrider({
      args: ["proxy", "sidecar", "--proxyLogLevel", "error", "--futureFlag"],
      cwd: web.folder,
      env: web.env,
    });
    await sidecarReady(web, agent);
    const well = await diagnose(web);
    assert.equal(well.code, 0, well.output);
    expectFinding(well.named("configuration")[0], "warning", /--futureFlag/, /spelling/);
    expectFinding(well.named("ports")[0], "ok", new RegExp(`running agent \\(pid ${agent.pid}\\)`));
    expectFinding(well.named("shared-ports")[0], "ok", /nobody shares the ports of the running agent/);
    expectFinding(well.named("memory")[0], "ok", /the running Envoy uses \d+ MiB: a second one fits/);

    await using stranger = await startEnvoyOn(web.ports.prometheus, web.folder);
    const shared = await diagnose(web);
    expectFinding(
      shared.named("shared-ports")[0],
      "failure",
      new RegExp(`port ${web.ports.prometheus} .*pid ${stranger.pid} `),
      /ports of its own/,
    );
    assert.equal(shared.code, 1);
  });
});
