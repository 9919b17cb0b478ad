/**
 * One query to one upstream over TCP (RFC 7766), on a connection of its own.
 */
import { connect } from "node:net";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { matchOf, type Outcome, outcomeOf, type Outgoing } from "./exchange.ts";
import { FrameReader, framed } from "../wire/frames.ts";
import type { Upstream } from "./resolv-conf.ts";

/** Resolves when there is an answer, or with `failed` when the connection fails or `signal` aborts. */
export function askOverTcp(
  { host, port }: Upstream,
  outgoing: Outgoing,
  signal: AbortSignal,
): Promise<Outcome> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(outcomeOf(signal));
      return;
    }
    const socket = connect({ host, port, noDelay: true });
    const settle = (outcome: Outcome): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      resolve(outcome);
    };
    const onAbort = (): void => {
      settle(outcomeOf(signal));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const frames = new FrameReader();
    socket.on("connect", () => {
      socket.write(framed(outgoing.message));
    });
    socket.on("data", (bytes) => {
      for (const message of frames.take(bytes)) {
        const isAnswer =
          message.length >= 12 &&
          message.readUInt16BE(0) === outgoing.message.readUInt16BE(0) &&
          matchOf(message, outgoing) !== "no";
        settle(
          isAnswer
            ? { kind: "answered", message }
            : { kind: "failed", reason: "it answered another question" },
        );
        return;
      }
    });
    socket.on("error", (error) => {
      settle({ kind: "failed", reason: errorMessage(error) });
    });
    socket.on("close", () => {
      settle({ kind: "failed", reason: "it closed the connection" });
    });
  });
}
