/** Where this machine is reached besides loopback. */
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";

/** The API refuses endpoints on loopback: an address of this machine that is none. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const found = all.find(({ internal, family }) => !internal && family === "IPv4");
  assert.ok(found !== undefined, "these tests need a network with an address of IPv4");
  return found.address;
}
