import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { diagnose, expectFailures, expectWarning } from "../../support/doctor.ts";
import { ExaminedMesh } from "../../support/examined-mesh.ts";
import { expectFinding } from "../../support/findings.ts";
import { makeMemoryCgroup } from "../../support/memory-cgroup.ts";
import { hasRoot } from "../../support/privilege.ts";

let examined: ExaminedMesh;

before(async () => {
  examined = await ExaminedMesh.start();
});

after(async () => {
  await examined[Symbol.asyncDispose]();
});

describe("doctor names what is wrong here, and the remedy:", () => {
  test("a configPath that cannot be written", async () => {
    const web = await examined.workload({ configPath: "./taken/proxy" });
    web.write("taken", "a file where a folder is needed");
    await expectFailures(web, { "config-path": [/taken.*is not a folder/, /emptyDir.*configPath/] });
  });

  test("a configPath that is too long for sockets", async () => {
    await expectFailures(await examined.workload({ configPath: `./${"x".repeat(90)}` }), {
      "socket-paths": [/admin\.sock has 1\d\d bytes of 107/, /configPath/],
      bootstrap: [/Envoy refuses it: .*admin\.sock/, /ProxyConfig/],
    });
  });

  test("a port that is taken", async () => {
    const web = await examined.workload();
    const server = createServer().listen(web.ports.status, "127.0.0.1");
    try {
      await expectFailures(web, {
        ports: [new RegExp(`port ${web.ports.status} .*pid ${process.pid} `), /another port/],
      });
    } finally {
      server.close();
    }
  });

  test("a program that is no Envoy", async () => {
    const node = process.execPath;
    await expectFailures(
      await examined.workload(),
      {
        "envoy-binary": [/does not answer --version as Envoy does/, /ENVOY_PATH/],
        bootstrap: [/Envoy refuses it/, /correct/],
      },
      { env: { ENVOY_PATH: node } },
    );
    await expectFailures(
      await examined.workload(),
      { "envoy-binary": [/ENVOY_PATH names \/nowhere\/envoy/, /correct the path/] },
      { env: { ENVOY_PATH: "/nowhere/envoy" } },
    );
  });

  test("an override that Envoy refuses, and a template that cannot be rendered", async () => {
    const web = await examined.workload();
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
      await examined.workload(),
      { "open-files": [/the hard limit is 128: room for about 32 proxied connections/, /nofile/] },
      { within: ["prlimit", "--nofile=128:128"] },
    );
  });
});

describe("doctor warns, and the exit code stays 0:", () => {
  test("more worker threads than CPUs, ports among the ephemeral ones", async () => {
    const web = await examined.workload({ concurrency: 512, statusPort: 40_123 });
    await expectWarning(web, "cpu", /512 worker threads/, /concurrency in ProxyConfig/);
    await expectWarning(
      web,
      "port-range",
      /40123 \(ProxyConfig statusPort\)/,
      /ip_local_reserved_ports=40123/,
    );
  });

  test("a user whose traffic Istio's rules would capture", async () => {
    await expectWarning(await examined.workload(), "user", /INTERCEPTION_MODE REDIRECT/, /runAsUser/, {
      env: { ISTIO_META_INTERCEPTION_MODE: "REDIRECT" },
    });
  });

  test("little memory, and none", async (t) => {
    for (const [limitMib, verdict] of [
      [180, "warning"],
      [120, "failure"],
    ] as const) {
      const cgroup = makeMemoryCgroup(limitMib * 2 ** 20);
      if ("reason" in cgroup) {
        assert.notEqual(process.env["CI"], "true", cgroup.reason);
        t.skip(cgroup.reason);
        return;
      }
      using _ = cgroup;
      const web = await examined.workload();
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
    const web = await examined.workload();
    await expectWarning(web, "shared-memory", /\/dev\/shm does not exist/, /emptyDir.*without hot restart/, {
      within,
    });
    const { code, named } = await diagnose(web, { within, args: ["--swapMode=hot"] });
    expectFinding(named("shared-memory")[0], "failure", /does not exist/, /emptyDir/);
    assert.equal(code, 1);
  });

  test("a shell as PID 1", async (t) => {
    if (!hasRoot(t)) return;
    await expectWarning(await examined.workload(), "pid-1", /a shell \(sh -c/, /exec/, {
      within: ["unshare", "-p", "-f", "--mount-proc", "sh", "-c", '"$@"; exit $?', "sh"],
    });
  });

  test("a /dev/shm that is read-only", async (t) => {
    if (!hasRoot(t)) return;
    await expectWarning(
      await examined.workload(),
      "shared-memory",
      /cannot be written: EROFS/,
      /writable tmpfs/,
      {
        within: ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none /dev/shm && exec "$@"', "sh"],
      },
    );
  });

  test("a segment of another user's Envoy", async (t) => {
    if (!hasRoot(t)) return;
    const script =
      "mount -t tmpfs none /dev/shm && touch /dev/shm/envoy_shared_memory_0 && " +
      'exec setpriv --reuid 1337 --regid 1337 --clear-groups "$@"';
    const { named } = await diagnose(await examined.workload(), {
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
    const { named } = await diagnose(await examined.workload(), {
      within: ["unshare", "-n", "sh", "-c", script, "sh"],
    });
    expectFinding(named("tcp-migrate-req")[0], "ok", /is 1/);
    expectFinding(named("port-range")[0], "warning", /1024-65535.*ENVOY_STATUS_PORT/, /reserved/);
  });
});
