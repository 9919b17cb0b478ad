import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServicePort } from "../../../../src/controlplane/model/model.ts";
import {
  type CalledService,
  type CapturedPlace,
  capturedPlace,
} from "../../../../src/controlplane/networking/captured-place.ts";

const address = "10.0.0.1";
const range = "10.1.0.0/16";
const endpoints = [{ address: "10.9.0.1" }, { address: "10.9.0.1" }, { address: "db.example" }];

const bare: CalledService = { addresses: [], resolution: "STATIC", endpoints };
const addressed = { ...bare, addresses: [address] };
const headless: CalledService = { ...bare, resolution: "NONE" };

const everywhere = { ranges: [], byServerName: false };

describe("a port of a service that a captured application calls", () => {
  const rows: readonly (readonly [
    what: string,
    service: CalledService,
    protocol: ServicePort["protocol"],
    place: CapturedPlace,
  ])[] = [
    ["HTTP goes by its host", addressed, "http", { kind: "routed", takesOthers: false }],
    ["gRPC does as well", headless, "grpc", { kind: "routed", takesOthers: false }],
    [
      "what is not known is looked at where it is called",
      addressed,
      "auto",
      { kind: "detected", addresses: [address] },
    ],
    ["and on every address without one of its own", bare, "auto", { kind: "routed", takesOthers: true }],
    [
      "TCP goes by the address alone",
      addressed,
      "tcp",
      { kind: "connections", addresses: [address], shared: undefined },
    ],
    [
      "TCP without an address has its port on all of them",
      bare,
      "tcp",
      { kind: "connections", addresses: [], shared: { kind: "tcp", ...everywhere } },
    ],
    [
      "TCP of a headless service is called at its workloads",
      headless,
      "tcp",
      { kind: "connections", addresses: ["10.9.0.1"], shared: undefined },
    ],
    [
      "a range is a part of the port's listener, beside an address of its own",
      { ...bare, addresses: [address, range] },
      "tcp",
      {
        kind: "connections",
        addresses: [address],
        shared: { kind: "tcp", ranges: [range], byServerName: false },
      },
    ],
    [
      "TLS without an address goes by its server name, headless or not",
      headless,
      "tls",
      { kind: "connections", addresses: [], shared: { kind: "tls", ranges: [], byServerName: true } },
    ],
    [
      "TLS to a range goes by the range",
      { ...bare, addresses: [range] },
      "tls",
      { kind: "connections", addresses: [], shared: { kind: "tls", ranges: [range], byServerName: false } },
    ],
  ];
  for (const [what, service, protocol, place] of rows) {
    test(what, () => {
      assert.deepEqual(capturedPlace(service, { protocol }), place);
    });
  }
});
