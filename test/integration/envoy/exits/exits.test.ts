import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runEnvoyToItsEnd, smallBootstrap } from "../../../support/envoy-exit.ts";
import { PrintedBootstrap } from "../../../../src/envoy/exits/printed-bootstrap.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

type Bootstrap = ReturnType<typeof smallBootstrap>;

const chain = (bootstrap: Bootstrap) => bootstrap.static_resources.listeners[0]?.filter_chains[0] ?? {};

function http(bootstrap: Bootstrap): Record<string, unknown> {
  const filters = chain(bootstrap)["filters"] as { typed_config: Record<string, unknown> }[];
  return filters[0]?.typed_config ?? {};
}

function cluster(bootstrap: Bootstrap): Record<string, unknown> {
  return bootstrap.static_resources.clusters[0] ?? {};
}

function address(bootstrap: Bootstrap): Record<string, unknown> {
  return bootstrap.static_resources.listeners[0]?.address.socket_address ?? {};
}

const filter = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config";

/** A bootstrap of the length that real ones have, which Envoy prints behind what it says against it. */
function lengthen(bootstrap: Bootstrap): void {
  for (let n = 0; n < 200; n += 1) {
    bootstrap.static_resources.clusters.push({ name: `more-${n}`, type: "STATIC", connect_timeout: "1s" });
  }
}

for (const jsonLog of [false, true]) {
  describe(`An Envoy with ${jsonLog ? "JSON" : "text"} logs refuses a bootstrap`, () => {
    for (const [name, spoil, field, message] of [
      [
        "an unknown field",
        (bootstrap) => Object.assign(cluster(bootstrap), { conect_timeout: "1s" }),
        "static_resources.clusters[0].conect_timeout",
        /there is no field conect_timeout in envoy\.config\.cluster\.v3\.Cluster/,
      ],
      [
        "an unknown field in a packed message",
        (bootstrap) => Object.assign(http(bootstrap), { stat_prefixx: "a" }),
        `${filter}.stat_prefixx`,
        /there is no field stat_prefixx in .*HttpConnectionManager/,
      ],
      [
        "an unknown enum value",
        (bootstrap) => Object.assign(cluster(bootstrap), { type: "STATICO" }),
        "static_resources.clusters[0].type",
        /unknown enum value: 'STATICO'/,
      ],
      [
        "a duration without a unit",
        (bootstrap) => Object.assign(cluster(bootstrap), { connect_timeout: "1 second" }),
        "static_resources.clusters[0].connect_timeout",
        /duration must end with a single 's'/,
      ],
      [
        "a packed message without a type",
        (bootstrap) =>
          bootstrap.static_resources.clusters.push({
            name: "x",
            transport_socket: { name: "a", typed_config: { a: "b" } },
          }),
        "static_resources.clusters[201].transport_socket.typed_config",
        /missing @type in Any is only allowed for an empty object/,
      ],
      [
        "text where a list belongs",
        (bootstrap) => Object.assign(bootstrap.static_resources, { clusters: "x" }),
        "static_resources.clusters",
        /unexpected character/,
      ],
      [
        "a port that is too high",
        (bootstrap) => Object.assign(address(bootstrap), { port_value: 99_999 }),
        "static_resources.listeners[0].address.socket_address.port_value",
        /value must be less than or equal to 65535/,
      ],
      [
        "a missing name in a packed message",
        (bootstrap) => Object.assign(http(bootstrap), { stat_prefix: "" }),
        `${filter}.stat_prefix`,
        /value length must be at least 1 characters/,
      ],
      [
        "an unknown type",
        (bootstrap) => Object.assign(http(bootstrap), { "@type": "type.googleapis.com/envoy.NoSuch" }),
        `${filter}.@type`,
        /could not find @type 'type\.googleapis\.com\/envoy\.NoSuch'/,
      ],
      [
        "an unknown extension",
        (bootstrap) => (http(bootstrap)["http_filters"] as object[]).unshift({ name: "nosuch" }),
        `${filter}.http_filters[0].name`,
        /Didn't find a registered implementation for 'nosuch'/,
      ],
      [
        "an address that is none",
        (bootstrap) => Object.assign(address(bootstrap), { address: "foo.bar" }),
        "static_resources.listeners[0].address.socket_address.address",
        /malformed IP address: foo\.bar/,
      ],
      [
        "an address of another machine",
        (bootstrap) => Object.assign(address(bootstrap), { address: "203.0.113.7", port_value: 18_181 }),
        "static_resources.listeners[0].address.socket_address",
        /cannot bind '203\.0\.113\.7:18181': Cannot assign requested address/,
      ],
      [
        "a certificate that is not there",
        (bootstrap) => {
          const tls_certificates = [
            { certificate_chain: { filename: "/no.pem" }, private_key: { filename: "/no.key" } },
          ];
          const type = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
          return Object.assign(chain(bootstrap), {
            transport_socket: {
              name: "tls",
              typed_config: { "@type": type, common_tls_context: { tls_certificates } },
            },
          });
        },
        "static_resources.listeners[0].filter_chains[0].transport_socket.typed_config.common_tls_context.tls_certificates[0].private_key.filename",
        /private key from path: \/no\.key/,
      ],
    ] as readonly [string, (bootstrap: Bootstrap) => unknown, string, RegExp][]) {
      test(name, async () => {
        const bootstrap = smallBootstrap({ jsonLog });
        lengthen(bootstrap);
        spoil(bootstrap);
        const { diagnosis, lines } = await runEnvoyToItsEnd({ bootstrap });
        assert.equal(diagnosis.reason, "configuration", `${diagnosis.message}\n${lines.join("\n")}`);
        assert.match(diagnosis.message, message);
        assert.equal(diagnosis.field, field);
        assert.ok(diagnosis.message.includes(` at ${field}: `), diagnosis.message);
        assert.equal(diagnosis.exitCode, 1);
        assert.ok(!diagnosis.message.includes("\n"));
        const printed = new PrintedBootstrap();
        const logged = lines.filter((line) => printed.passes(line));
        assert.ok(logged.length < 20, logged.join("\n"));
        assert.equal(logged.length + printed.leftOut, lines.length);
      });
    }

    test("a taken port is told with its owner", async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const { port } = server.address() as { port: number };
      try {
        const { diagnosis } = await runEnvoyToItsEnd({ bootstrap: smallBootstrap({ jsonLog, port }) });
        assert.equal(diagnosis.reason, "port_in_use");
        assert.ok(diagnosis.message.includes(`could not bind 127.0.0.1:${port}: `), diagnosis.message);
        assert.ok(diagnosis.message.includes(`is taken by pid ${process.pid} (`), diagnosis.message);
        assert.equal(diagnosis.field, "static_resources.listeners[0].address.socket_address");
      } finally {
        server.close();
      }
    });

    test("a panic is told with its last critical line", async () => {
      const { diagnosis } = await runEnvoyToItsEnd({
        bootstrap: smallBootstrap({ jsonLog }),
        // An epoch without the one before it.
        hotRestart: true,
        args: ["--restart-epoch", "1", "--base-id", String(50_000 + (process.pid % 10_000))],
      });
      assert.equal(diagnosis.reason, "abort");
      assert.match(
        diagnosis.message,
        /^aborted \(SIGABRT\) before it was live: panic: cannot open shared memory region .*; a backtrace of \d+ frames/,
      );
      assert.equal(diagnosis.exitCode, 134);
    });

    for (const [signal, reason, message, exitCode] of [
      [
        "SIGSEGV",
        "signal",
        /^crashed with SIGSEGV after it was live: Caught Segmentation fault, .* backtrace of \d+/,
        139,
      ],
      [
        "SIGABRT",
        "abort",
        /^aborted \(SIGABRT\) after it was live: Caught Aborted, .* backtrace of \d+/,
        134,
      ],
      ["SIGKILL", "signal", /^killed by SIGKILL: by hand or by the runtime; no OOM kill was counted/, 137],
      ["SIGTERM", "signal", /^ended by a SIGTERM that the agent did not send \(exit code 0\)$/, 0],
    ] as const) {
      test(`${signal} from outside is told as such`, async () => {
        const { diagnosis } = await runEnvoyToItsEnd({
          bootstrap: smallBootstrap({ jsonLog }),
          onLive: (child) => {
            child.kill(signal);
          },
        });
        assert.match(diagnosis.message, message);
        assert.equal(diagnosis.reason, reason);
        assert.equal(diagnosis.exitCode, exitCode);
      });
    }
  });
}

describe("An Envoy that does not start", () => {
  test("because its binary is missing", async () => {
    const { diagnosis } = await runEnvoyToItsEnd({ bootstrap: {}, binary: "/no/such/envoy" });
    assert.equal(diagnosis.reason, "not_started");
    assert.match(diagnosis.message, /^could not be started: .*ENOENT/);
    assert.match(diagnosis.remedy ?? "", /--binaryPath or ENVOY_PATH/);
    assert.equal(diagnosis.exitCode, 127);
  });

  test("because its binary is not executable", async () => {
    using folder = temporaryFolder();
    const binary = join(folder.path, "envoy");
    writeFileSync(binary, "");
    chmodSync(binary, 0o644);
    const { diagnosis } = await runEnvoyToItsEnd({ bootstrap: {}, binary });
    assert.equal(diagnosis.reason, "not_started");
    assert.match(diagnosis.remedy ?? "", /executable for this user/);
  });

  test("because it does not know a flag", async () => {
    const { diagnosis } = await runEnvoyToItsEnd({ bootstrap: smallBootstrap(), args: ["--nosuchflag"] });
    assert.equal(diagnosis.reason, "configuration");
    assert.match(diagnosis.message, /^refused its command line: --nosuchflag -- Couldn't find match/);
  });
});

test("an Envoy that the agent stopped was asked to", async () => {
  const { diagnosis } = await runEnvoyToItsEnd({
    bootstrap: smallBootstrap(),
    asked: "stop",
    onLive: (child) => {
      child.kill("SIGTERM");
    },
  });
  assert.deepEqual(diagnosis, { reason: "asked", message: "stopped as asked (exit code 0)", exitCode: 0 });
});
