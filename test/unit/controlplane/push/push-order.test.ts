/** Which response a proxy gets next, in both variants of the protocol. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Answers } from "../../../../src/controlplane/push/answers.ts";
import {
  deltaProtocol,
  sotwProtocol,
  type Subscription,
} from "../../../../src/controlplane/push/protocol.ts";
import { Layer, ResourceSet } from "../../../../src/controlplane/push/layer.ts";
import { typeUrl } from "../../../../src/xds/type-urls.ts";
import { delta, sotw } from "../../../support/xds-messages.ts";

const of = (versions: Readonly<Record<string, string>>): ResourceSet => {
  const resources = Object.entries(versions).map(
    ([name, version]) => [name, { name, version, bytes: Buffer.alloc(0) }] as const,
  );
  return new ResourceSet([new Layer(new Map(resources))]);
};
const asIs = { force: false, keepsGone: false };

for (const [protocol, messages] of [
  [deltaProtocol, delta],
  [sotwProtocol, sotw],
] as const) {
  const subscribed = (type: string, names: readonly string[] = []): Subscription => {
    const subscription = protocol.subscribe(type);
    assert.ok(protocol.decode(messages.request({ typeUrl: type, names })).apply(subscription));
    return subscription;
  };
  const changed = (
    subscription: Subscription,
    resources: ResourceSet,
    how: Partial<typeof asIs> = {},
  ): readonly string[] | undefined => {
    const response = subscription.respond(resources, { ...asIs, ...how });
    response?.sent("nonce");
    return response?.changed.map(({ name }) => name);
  };

  describe(`a subscription of ${protocol.name} xDS`, () => {
    test("names what changed, and has no response when nothing did", () => {
      const clusters = subscribed(typeUrl.cluster);
      assert.deepEqual(changed(clusters, of({ a: "1", b: "1" })), ["a", "b"]);
      assert.equal(changed(clusters, of({ a: "1", b: "1" })), undefined);
      assert.deepEqual(changed(clusters, of({ a: "2", b: "1" })), ["a"]);
    });

    test("sends endpoints again that are asked for, though they are the same", () => {
      const endpoints = subscribed(typeUrl.endpoint, ["a", "b"]);
      const same = of({ a: "1", b: "1" });
      changed(endpoints, same);
      endpoints.resend(new Set(["other"]));
      assert.equal(changed(endpoints, same), undefined);
      endpoints.resend(new Set(["a"]));
      assert.notEqual(changed(endpoints, same), undefined);
      assert.equal(changed(endpoints, same), undefined);
    });

    test("keeps what is gone until it may go", () => {
      const clusters = subscribed(typeUrl.cluster);
      changed(clusters, of({ a: "1", b: "1" }));
      assert.equal(changed(clusters, of({ a: "1" }), { keepsGone: true }), undefined);
      assert.deepEqual(changed(clusters, of({ a: "1", c: "1" }), { keepsGone: true }), ["c"]);
      assert.deepEqual(changed(clusters, of({ a: "1", c: "1" })), []);
      assert.equal(changed(clusters, of({ a: "1", c: "1" })), undefined);
    });
  });
}

test("whoever comes with versions from elsewhere is sent what is other, and told what is gone", () => {
  const clusters = deltaProtocol.subscribe(typeUrl.cluster);
  const known = { a: "1", b: "1", c: "1" };
  assert.ok(
    deltaProtocol.decode(delta.request({ typeUrl: typeUrl.cluster, names: [], known })).apply(clusters),
  );
  const response = clusters.respond(of({ a: "1", b: "2", d: "1" }), { force: true, keepsGone: false });
  assert.deepEqual(response?.changed.map(({ name }) => name).toSorted(), ["b", "d"]);
  const { resources, removed } = delta.read(Buffer.from(response.encode(typeUrl.cluster, "v", "n", "me")));
  assert.deepEqual(Object.keys(resources).toSorted(), ["b", "d"]);
  assert.deepEqual(removed, ["c"]);
  response.sent("n");
  assert.equal(clusters.respond(of({ a: "1", b: "2", d: "1" }), asIs), undefined);
});

describe("a proxy's answers", () => {
  const never = new AbortController().signal;

  test("are waited for, be they good or bad, and only a good one counts as taken", async () => {
    const answers = new Answers();
    answers.sent(typeUrl.route, "1");
    const waiting = answers.wait(typeUrl.route, never);
    answers.answered(typeUrl.route, "1", "no");
    await waiting;
    assert.equal(answers.isTaken(typeUrl.route), false);
    answers.answered(typeUrl.route, "1", undefined);
    assert.equal(answers.isTaken(typeUrl.route), true);
  });

  test("to an older response are none to the newest", async () => {
    const answers = new Answers();
    answers.sent(typeUrl.route, "1");
    answers.sent(typeUrl.route, "2");
    const order: string[] = [];
    const waiting = answers.wait(typeUrl.route, never).then(() => order.push("waited"));
    answers.answered(typeUrl.route, "1", undefined);
    await new Promise(setImmediate);
    order.push("second");
    answers.answered(typeUrl.route, "2", undefined);
    await waiting;
    assert.deepEqual(order, ["second", "waited"]);
  });

  test("that never come are waited for once only", async () => {
    const answers = new Answers(1);
    answers.sent(typeUrl.cluster, "1");
    await answers.wait(typeUrl.cluster, never);
    assert.equal(answers.isTaken(typeUrl.cluster), false);
    let isOver = false;
    const again = answers.wait(typeUrl.cluster, never).then(() => {
      isOver = true;
    });
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(isOver, true);
    await again;
  });

  test("are no longer waited for when the stream ends", async () => {
    const answers = new Answers();
    const ended = new AbortController();
    answers.sent(typeUrl.cluster, "1");
    const waiting = answers.wait(typeUrl.cluster, ended.signal);
    ended.abort();
    await waiting;
  });
});
