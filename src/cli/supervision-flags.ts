/**
 * The flags of `proxy` that limit supervision.
 */
import { counts, positiveCounts, someDuration } from "../schema/range.ts";
import type { SupervisionFlags } from "../config/sources/proxy-flags.ts";
import type { Arguments, Flag } from "../command/command.ts";

/** In the order in which help lists them. */
export const supervisionFlags: Readonly<Record<keyof SupervisionFlags, Flag>> = {
  swapMode: {
    type: "string",
    default: "auto",
    describe:
      "How a new Envoy takes over: overlap, hot, cold, or auto for the first of them that is possible.",
  },
  swapTimeout: {
    type: "string",
    range: someDuration,
    default: "30s",
    describe: "Longest time until a new Envoy is LIVE.",
  },
  swapProofTimeout: {
    type: "string",
    range: someDuration,
    default: "5s",
    describe: "Longest time from LIVE until a new Envoy is proven to serve.",
  },
  swapProbation: {
    type: "string",
    range: someDuration,
    default: "10s",
    describe: "How long a new bootstrap must serve before a crash no longer goes back to the one before it.",
  },
  restartBudget: {
    type: "number",
    range: counts,
    default: 10,
    describe:
      "Restarts of Envoy within --restartWindow before the agent gives up and exits with Envoy's code.",
  },
  restartWindow: {
    type: "string",
    range: someDuration,
    default: "5m",
    describe: "Sliding window of --restartBudget.",
  },
  restartBackoff: {
    type: "string",
    range: someDuration,
    default: "200ms",
    describe: "Delay after the second death in a row before Envoy served; it doubles with each.",
  },
  restartMaxBackoff: {
    type: "string",
    range: someDuration,
    default: "15s",
    describe: "Longest delay of a restart.",
  },
  restartStableAfter: {
    type: "string",
    range: someDuration,
    default: "60s",
    describe: "An Envoy that has served this long makes earlier deaths count no more.",
  },
  hangCheckInterval: {
    type: "string",
    range: someDuration,
    default: "1s",
    describe: "Between two checks of Envoy's main thread.",
  },
  hangCheckTimeout: {
    type: "string",
    range: someDuration,
    default: "1s",
    describe: "How long Envoy may take to answer a check.",
  },
  hangChecks: {
    type: "number",
    range: positiveCounts,
    default: 3,
    describe: "Unanswered checks in a row after which an Envoy whose main thread does nothing is replaced.",
  },
  hangChecksBusy: {
    type: "number",
    range: positiveCounts,
    default: 300,
    describe: "The same for one whose main thread is busy, with a large configuration perhaps.",
  },
};

/** The flags as they were given. */
export function readSupervisionFlags(args: Arguments): SupervisionFlags {
  return {
    swapMode: args.string("swapMode"),
    swapTimeout: args.string("swapTimeout"),
    swapProofTimeout: args.string("swapProofTimeout"),
    swapProbation: args.string("swapProbation"),
    restartBudget: args.number("restartBudget"),
    restartWindow: args.string("restartWindow"),
    restartBackoff: args.string("restartBackoff"),
    restartMaxBackoff: args.string("restartMaxBackoff"),
    restartStableAfter: args.string("restartStableAfter"),
    hangCheckInterval: args.string("hangCheckInterval"),
    hangCheckTimeout: args.string("hangCheckTimeout"),
    hangChecks: args.number("hangChecks"),
    hangChecksBusy: args.number("hangChecksBusy"),
  };
}
