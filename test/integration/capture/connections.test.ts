import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ConnectionsReport } from "../../support/captured-connections.ts";
import type { Way } from "../../support/captured-rules.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../../support/own-network.ts";

const expected: ConnectionsReport = {
  "out to another pod": "outbound",
  "out to another pod, IPv6": "outbound",
  "out to an excluded port": "refused",
  "out to an excluded CIDR": "refused",
  "out from an excluded group": "refused",
  "out from the proxy": "refused",
  "in to the application": "inbound",
  "in to the application, IPv6": "inbound",
  "in to an excluded port": "application",
  "the application to itself by loopback": "application",
  "the application to itself by its address": "application",
  "the application to itself by loopback, IPv6": "application",
  "the proxy to its own pod": "inbound",
  "the proxy to its own pod, IPv6": "inbound",
  "the proxy to the application": "application",
  "out to another pod, once cleaned": "refused",
  "in to the application, once cleaned": "application",
};

describe("connections of a captured pod end where they must", { skip: whyNoOwnNetwork() }, () => {
  for (const way of ["iptables-nft", "iptables-legacy", "native-nft"] satisfies readonly Way[]) {
    test(`with ${way}`, async () => {
      const seen = await inOwnNetwork<ConnectionsReport>({
        sysctls: {},
        program: join(import.meta.dirname, "../../support/captured-connections.ts"),
        options: { way },
      });
      assert.deepEqual(seen, expected);
    });
  }
});
