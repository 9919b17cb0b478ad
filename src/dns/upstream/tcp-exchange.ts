/**
 * One query to one upstream over TCP (RFC 7766), on a connection of its own.
 */
import { connect } from "node:net";
import { errorMessage } from "../../lifecycle/error-message.ts";
import {
  type GivenUp,
  matchOf,
  type OnOutcome,
  type Outcome,
  outcomeOf,
  type Outgoing,
  type Sent,
} from "./exchange.ts";
import { FrameReader, framed } from "../wire/frames.ts";
import type { Upstream } from "./resolv-conf.ts";

/** Ends with an answer, or with `failed` when the connection fails or the query is given up. */
export function askOverTcp({ host, port }: Upstream, outgoing: Outgoing, onOutcome: OnOutcome): Sent {
  const socket = connect({ host, port, noDelay: true });
  let isSettled = false;
  const settle = (outcome: Outcome): void => {
    if (isSettled) return;
    isSettled = true;
    socket.destroy();
    onOutcome(outcome);
  };
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
        isAnswer ? outcomeOf(message, outgoing) : { kind: "failed", reason: "it answered another question" },
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
  return {
    giveUp: (reason: GivenUp) => {
      settle({ kind: "failed", reason });
    },
  };
}
