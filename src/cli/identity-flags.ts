/**
 * The flags of `proxy` about the workload's identity.
 */
import type { IdentityFlags } from "../config/sources/proxy-flags.ts";
import type { Arguments, Flag } from "../command/command.ts";

/** In the order in which help lists them. */
export const identityFlags: Readonly<Record<keyof IdentityFlags, Flag>> = {
  socketMode: {
    type: "string",
    describe: "Mode of the socket that private keys pass through (default 0600).",
  },
  identityCache: {
    type: "string",
    default: "auto",
    describe:
      "Keeps the last certificate for a restart: auto (<configPath>/identity-cache if in memory), off or a folder.",
  },
  identityCacheOnDisk: {
    type: "boolean",
    default: false,
    describe: "Let --identityCache be on a disk, private key included.",
  },
  onRotate: {
    type: "string",
    describe:
      "What follows the first certificate and each rotation: a command with arguments, or SIGHUP:/run/app.pid.",
  },
};

/** The flags as they were given. */
export function readIdentityFlags(args: Arguments): IdentityFlags {
  return {
    socketMode: args.optionalString("socketMode"),
    identityCache: args.optionalString("identityCache"),
    identityCacheOnDisk: args.boolean("identityCacheOnDisk"),
    onRotate: args.optionalString("onRotate"),
  };
}
