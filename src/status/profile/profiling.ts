/**
 * `/debug/pprof/`, as far as Node.js has what Go has: where the agent's processor time goes.
 */
import { promisify } from "node:util";
import { type Answer, type Asked, text } from "../contract/route.ts";
import { takeCpuProfile } from "./cpu-profile.ts";

/** All paths begin with this. */
export const profilingRoot = "/debug/pprof/";

/** Length of a profile in seconds. */
const seconds = { usual: 30, most: 300 } as const;

const index = `${profilingRoot}

cmdline  the words that this process was started with
profile  processor time over ?seconds=${seconds.usual}, for go tool pprof

Node.js has no execution trace, and its symbols are in the profile.
`;

/** One profile at a time: two would sample each other. */
export class Profiling {
  readonly #commandLine: readonly string[];
  #isBusy = false;

  /** @param commandLine the words that this process was started with */
  constructor(commandLine: readonly string[]) {
    this.#commandLine = commandLine;
  }

  /** What is asked for below `profilingRoot`. */
  async answer({ path, query, gone }: Asked): Promise<Answer> {
    switch (path.slice(profilingRoot.length)) {
      case "":
        return plain(200, index);
      case "cmdline":
        return plain(200, this.#commandLine.join("\0"));
      case "symbol":
        return plain(200, "num_symbols: 1\n");
      case "profile":
        return this.#profile(query.get("seconds"), gone);
      default:
        return plain(404, "Unknown profile\n");
    }
  }

  async #profile(asked: string | null, gone: Asked["gone"]): Promise<Answer> {
    const length = asked === null || asked === "" ? seconds.usual : Number(asked);
    if (!(length > 0 && length <= seconds.most))
      return plain(400, `seconds is a number above 0 and up to ${seconds.most}\n`);
    if (this.#isBusy) return plain(503, "Another profile is being taken\n");
    this.#isBusy = true;
    try {
      const takenAt = new Date();
      const profile = await takeCpuProfile(length * 1_000, gone());
      const [{ encodePprof }, { gzip }] = await Promise.all([import("./pprof.ts"), import("node:zlib")]);
      const bytes = await promisify(gzip)(encodePprof(profile, takenAt));
      return { kind: "file", name: "profile", bytes };
    } finally {
      this.#isBusy = false;
    }
  }
}

function plain(status: number, words: string): Answer {
  return { ...text(status, words), contentType: "text/plain; charset=utf-8" };
}
