/** The kubelet's probes as the injector writes them: a probe that can be made, or a problem that names its place. */
import assert from "node:assert/strict";
import { readProbers } from "../../../src/config/decide/app-probes.ts";
import type { ConfigProblem } from "../../../src/schema/config-problem.ts";
import type { FuzzTarget } from "../target.ts";

const usual = '{"/app-health/web/livez":{"httpGet":{"path":"/healthz","port":8080}}}';

/** What RFC 9112 lets stand in a request line for a path with a query. */
const target = /^\/[\x21\x22\x24-\x7e]*$/;

function check(text: string): void {
  const problems: ConfigProblem[] = [];
  const probers = readProbers(text, problems);
  for (const { source, path, message } of problems) {
    assert.equal(source, "ISTIO_KUBE_APP_PROBERS");
    assert.ok(typeof path === "string" && message !== "");
  }
  if (problems.length === 0 && text !== "") {
    const given = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual(
      [...probers.keys()].toSorted(),
      Object.keys(given).toSorted(),
      "one was lost in silence",
    );
  }
  for (const [path, prober] of probers) {
    if (problems.length === 0)
      assert.match(path, /^\/app-(?:health|lifecycle)\/[^/]+\/(?:live|ready|startup|prestop|poststart)z$/);
    assert.ok(Number.isInteger(prober.port) && prober.port > 0 && prober.port < 65_536, String(prober.port));
    assert.ok(Number.isSafeInteger(prober.timeoutMs) && prober.timeoutMs >= 0, String(prober.timeoutMs));
    if (prober.kind === "http") assert.match(prober.path, target);
    if (prober.kind === "http") assert.match(prober.scheme, /^https?$/);
    if (prober.kind === "grpc") assert.equal(typeof prober.service, "string");
  }
}

export const appProbesTarget: FuzzTarget = {
  name: "app-probes",
  corpus: "app-probes",
  words: [
    ...[
      "/app-health/",
      "/app-lifecycle/",
      "/livez",
      "/readyz",
      "/startupz",
      "/prestopz",
      "/poststartz",
      "web",
    ],
    ...[
      '"httpGet"',
      '"tcpSocket"',
      '"grpc"',
      '"port"',
      '"path"',
      '"scheme"',
      '"service"',
      '"timeoutSeconds"',
    ],
    ...[
      '"httpHeaders"',
      '"host"',
      "HTTPS",
      "HTTP",
      ":{",
      "},",
      "{}",
      "null",
      "true",
      "[",
      "]",
      '"',
      ":",
      ",",
    ],
    ...[
      "0",
      "-1",
      "65536",
      "8080",
      "1e9",
      "1.5",
      "9007199254740993",
      '"8080"',
      "http://a/",
      "//b",
      "?q=#f",
      "%",
      "\\u0000",
    ],
    ...["\\r\\n", "\\ud800", "__proto__", "constructor", "..", " ", "é"],
  ],
  concurrency: 1,
  maxBytes: 4_096,
  open: () =>
    Promise.resolve({
      feed: (input) => {
        check(input.toString("utf8"));
        return Promise.resolve();
      },
      whole: () => {
        const problems: ConfigProblem[] = [];
        assert.equal(readProbers(usual, problems).size, 1);
        assert.deepEqual(problems, []);
        return Promise.resolve();
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
};
