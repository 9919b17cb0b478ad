/** No instance is taken for well because its checks were asked for too early, and none stays ill by a check that it has no more. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AllocationChecks } from "../../../../../src/controlplane/registry/nomad/allocation-checks.ts";
import { NomadError } from "../../../../../src/controlplane/registry/nomad/nomad-api.ts";
import type { Registration } from "../../../../../src/controlplane/registry/nomad/registrations.ts";

const instance: Registration = {
  ...{ id: "1", service: "web", namespace: "default", datacenter: "dc1", allocation: "a1" },
  ...{ address: "10.0.0.1", port: 20_001, tags: [] },
};

/** A client of Nomad. */
class Client {
  answer: () => unknown = () => ({});
  asked = 0;
  readonly checks = new AllocationChecks(() => {
    this.asked += 1;
    return Promise.resolve().then(() => this.answer());
  });
}

const said = (status: string): unknown => ({ c1: { Service: "web", Status: status } });

describe("checks of an allocation", () => {
  test("count that its client begins with after the service is registered", async () => {
    const one = new Client();
    await one.checks.look([instance], false);
    assert.equal(one.checks.isWell(instance), true);
    one.answer = () => said("failure");
    assert.equal(await one.checks.look([instance], true), true);
    assert.equal(one.checks.isWell(instance), false);
  });

  test("are asked for ever less often where there are none", async () => {
    const one = new Client();
    await one.checks.look([instance], false);
    for (let look = 0; look < 64; look += 1) await one.checks.look([instance], true);
    assert.equal(one.asked, 1 + 7);
  });

  test("that are gone keep nobody out, and that is told", async () => {
    const one = new Client();
    one.answer = () => said("failure");
    await one.checks.look([instance], false);
    assert.equal(one.checks.isWell(instance), false);
    one.answer = () => ({});
    assert.equal(await one.checks.look([instance], true), true);
    assert.equal(one.checks.isWell(instance), true);
  });

  test("of a client that does not answer hold up one change, and are asked for at each look", async () => {
    const one = new Client();
    one.answer = () => {
      throw new NomadError("UNREACHABLE", "is not there");
    };
    for (let change = 0; change < 5; change += 1) await one.checks.look([instance], false);
    assert.equal(one.asked, 1);
    for (let look = 0; look < 5; look += 1) await one.checks.look([instance], true);
    assert.equal(one.asked, 6);
    one.answer = () => said("failure");
    assert.equal(await one.checks.look([instance], true), true);
    assert.equal(one.checks.isWell(instance), false);
  });
});
