/** Each flag of the control plane is a variable as well, and a problem names what was given. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { discoveryFlags, istioVariables } from "../../../src/cli/discovery-flags.ts";
import type { ConfigProblem } from "../../../src/schema/config-problem.ts";
import { readOwnFlags } from "../../../src/schema/own-variables.ts";

function read(
  flags: Readonly<Record<string, readonly string[]>>,
  env: Readonly<Record<string, string>>,
): ReturnType<typeof readOwnFlags<typeof discoveryFlags>> & { readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  return { ...readOwnFlags(discoveryFlags, { flags, env, variables: istioVariables }, problems), problems };
}

describe("a flag of discovery", () => {
  test("counts over its variable, and that over the default", () => {
    const env = { OUTRIDER_HTTP_PORT: "8081", OUTRIDER_TRUST_DOMAIN: "b.org", OUTRIDER_HOST: " " };
    const { values, sourceOf, problems } = read({ httpPort: ["8082"] }, env);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      [values.httpPort, values.trustDomain, values.host, values.grpcPort],
      [8082, "b.org", "127.0.0.1", 15010],
    );
    assert.deepEqual((["httpPort", "trustDomain", "host", "grpcPort"] as const).map(sourceOf), [
      "--httpPort",
      "OUTRIDER_TRUST_DOMAIN",
      "--host",
      "--grpcPort",
    ]);
  });

  test("is Istio's variable as well, where that means the same", () => {
    const istios = { PILOT_DEBOUNCE_AFTER: "250ms", PILOT_DEBOUNCE_MAX: "2s" };
    const { values, sourceOf, problems } = read({}, { ...istios, OUTRIDER_DEBOUNCE_MAX: "3s" });
    assert.deepEqual(problems, []);
    assert.deepEqual([values.debounceAfter, values.debounceMax], [250, 3_000]);
    assert.deepEqual((["debounceAfter", "debounceMax"] as const).map(sourceOf), [
      "PILOT_DEBOUNCE_AFTER",
      "OUTRIDER_DEBOUNCE_MAX",
    ]);
    const refused = read({}, { PILOT_DEBOUNCE_AFTER: "soon" }).problems;
    assert.deepEqual(
      refused.map(({ source }) => source),
      ["PILOT_DEBOUNCE_AFTER"],
    );
  });

  test("that cannot be used is refused by the name under which it stands", () => {
    const env = { OUTRIDER_PLAIN_GRPC: "all", OUTRIDER_MAX_WORKLOAD_TTL: "soon" };
    const { values, problems } = read({ httpPort: ["70000"] }, env);
    assert.deepEqual(
      problems.map(({ source }) => source),
      ["OUTRIDER_PLAIN_GRPC", "--httpPort", "OUTRIDER_MAX_WORKLOAD_TTL"],
    );
    assert.deepEqual([values.plainGrpc, values.httpPort], ["loopback", 8080]);
  });
});
