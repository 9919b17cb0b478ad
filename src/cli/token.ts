/**
 * `outrider token`: a service account token for the embedded control plane, for a workload that no kubelet serves.
 *
 * It is made without the control plane, from the key in its folder, so whoever may read that folder may make one and
 * nobody else.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { flagsOf, flagTexts } from "../command/setting-flags.ts";
import { tokenFlags } from "./token-flags.ts";

/** Prints the token and nothing else. */
export const tokenCommand: Command = {
  name: "token",
  describe:
    "Mint a service account token for the control plane of `outrider discovery` or `outrider up`: it proves a namespace " +
    "and a service account until it ends. Whoever has it is that workload.",
  summary: "Mint a token for a workload of that control plane",
  exitCodes: [{ code: 0, meaning: "it was printed or written" }],
  flags: flagsOf(tokenFlags),
  run: mintToken,
};

async function mintToken(args: Arguments, context: CommandContext): Promise<number> {
  const [
    { existsSync },
    { openTokenIssuer, tokenKeyPath },
    { writeGivenPath },
    { discoveryStateFolder },
    { readFlags },
    { describeProblem },
    { errorMessage },
  ] = await Promise.all([
    import("node:fs"),
    import("../controlplane/demo-tokens.ts"),
    import("../files/given-path.ts"),
    import("../config/state-folder.ts"),
    import("../schema/flag-texts.ts"),
    import("../schema/config-problem.ts"),
    import("../lifecycle/error-message.ts"),
  ]);
  const problems: Parameters<typeof describeProblem>[0][] = [];
  const flags = readFlags(tokenFlags, flagTexts(args, Object.keys(tokenFlags)), problems);
  // Empty is mostly a variable that a script forgot to set: the token would be in its log instead.
  if (args.optionalString("output") === "")
    problems.push({
      source: "--output",
      path: "",
      message: "must not be empty: name a file, or leave the flag out",
    });
  const stateDir = discoveryStateFolder(flags.stateDir, context.env, existsSync);
  if (!existsSync(tokenKeyPath(stateDir))) {
    problems.push({
      source: "--stateDir",
      path: "",
      message:
        `no control plane has kept the key of its tokens in ${stateDir}: name the folder of the one that is meant, ` +
        "or start it first, as the user that asks for the token",
    });
  }
  if (problems.length === 0) {
    try {
      const { namespace, serviceAccount, audience, lifetime: lifetimeMs, output } = flags;
      const issuer = await openTokenIssuer(stateDir);
      const token = await issuer.issue({ namespace, serviceAccount, audience, lifetimeMs });
      if (output === undefined) context.print(token);
      else writeGivenPath(output, token);
      return 0;
    } catch (error) {
      context.printError(`no token: ${errorMessage(error)}`);
      return unusableCode;
    }
  }
  for (const problem of problems) context.printError(describeProblem(problem));
  return unusableCode;
}
