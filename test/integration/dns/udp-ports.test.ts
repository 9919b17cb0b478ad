/** Ports from which upstreams are asked: what becomes of one that nothing comes back to. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Outcome, type Outgoing, givenUp } from "../../../src/dns/upstream/exchange.ts";
import { UdpExchange } from "../../../src/dns/upstream/udp-exchange.ts";
import { queryBytes } from "../../support/dns-client.ts";
import { startDnsUpstream, usualAnswer } from "../../support/dns-upstream.ts";
import { eventually } from "../../support/eventually.ts";

/** Random is none here: of the open ports the oldest is used. */
const deps = { rejected: () => undefined, random: () => 0 };

function prepare(id: number): Outgoing {
  const message = queryBytes("www.example.com", "A", { id });
  return { message, questionEnd: message.length };
}

/** The outcome of a query that nobody gives up. */
function ask(exchange: UdpExchange): Promise<Outcome> {
  return new Promise((resolve) => exchange.ask(prepare, 60_000, resolve));
}

describe("a port", () => {
  test("that cannot be connected fails at once, with the reason", async () => {
    // Broadcast needs a permission that the socket has not asked for.
    using exchange = new UdpExchange({ host: "255.255.255.255", port: 53 }, deps);
    const outcome = await ask(exchange);
    assert.ok(outcome.kind === "failed");
    assert.match(outcome.reason, /EACCES/);
  });

  for (const [what, reason, lateMs, isLeft] of [
    ["whose query had no answer in time is left", givenUp.tooLate, 60_000, true],
    ["whose query was late when another was answered is left", givenUp.notNeeded, 0, true],
    ["whose query was not needed any more is kept", givenUp.notNeeded, 60_000, false],
  ] as const)
    test(what, async () => {
      await using upstream = await startDnsUpstream("127.0.0.1");
      using exchange = new UdpExchange(upstream, deps);
      for (let each = 0; each < 8; each += 1) assert.equal((await ask(exchange)).kind, "answered");
      const ports = upstream.queries.map(({ from }) => from?.port);
      assert.equal(new Set(ports).size, 8);

      upstream.respond = (query) => (query.from?.port === ports[0] ? undefined : usualAnswer(query));
      const unanswered = Promise.withResolvers<Outcome>();
      const sent = exchange.ask(prepare, lateMs, unanswered.resolve);
      await eventually("the query", () => assert.equal(upstream.queries.length, 9), { withinMs: 20_000 });
      sent.giveUp(reason);
      assert.deepEqual(await unanswered.promise, { kind: "failed", reason });

      upstream.respond = usualAnswer;
      assert.equal((await ask(exchange)).kind, "answered");
      const used = upstream.queries.at(-1)?.from?.port;
      assert.equal(used === ports[0], !isLeft);
    });
});
