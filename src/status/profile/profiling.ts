/**
 * `/debug/pprof/`, as far as Node.js has what Go has: where the agent's processor time goes.
 */
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { Timer } from "../../lifecycle/timer.ts";
import { type Answer, type Asked, text } from "../contract/route.ts";
import { takeCpuProfile } from "./cpu-profile.ts";

/** All paths begin with this. */
export const profilingRoot = "/debug/pprof/";

/** Length of a profile in seconds. */
const seconds = { usual: 30, most: 300 } as const;

/** How long whoever has asked for a profile may take to read it, in milliseconds. */
const longestReadMs = 300_000;

const index = `${profilingRoot}

cmdline  the words that this process was started with
profile  processor time over ?seconds=${seconds.usual}, for go tool pprof

Node.js has no execution trace, and its symbols are in the profile.
`;

/** One profile at a time: two would sample each other. */
export class Profiling {
  readonly #commandLine: readonly string[];
  readonly #redact: (text: string) => string;
  #isBusy = false;

  /**
   * @param commandLine the words that this process was started with
   * @param redact takes the secrets out of a text
   */
  constructor(commandLine: readonly string[], redact: (text: string) => string) {
    this.#commandLine = commandLine;
    this.#redact = redact;
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

  /** Processor time in V8's own form, for the developer tools of a browser. */
  cpuProfile({ query, gone }: Asked): Promise<Answer> {
    return this.#timed(query.get("seconds"), async (ms) => {
      const bytes = Buffer.from(JSON.stringify(await takeCpuProfile(ms, gone())));
      return { kind: "file", name: "outrider.cpuprofile", bytes };
    });
  }

  /** What the heap holds. */
  heapSnapshot(): Promise<Answer> {
    return this.#alone(async () => {
      const { heapSnapshot } = await import("./heap-snapshot.ts");
      return {
        kind: "stream",
        headers: {
          "content-type": "application/octet-stream",
          "content-disposition": 'attachment; filename="outrider.heapsnapshot"',
        },
        body: await heapSnapshot(this.#redact),
      };
    });
  }

  #profile(asked: string | null, gone: Asked["gone"]): Promise<Answer> {
    return this.#timed(asked, async (ms) => {
      const takenAt = new Date();
      const profile = await takeCpuProfile(ms, gone());
      const [{ encodePprof }, { gzip }] = await Promise.all([import("./pprof.ts"), import("node:zlib")]);
      const bytes = await promisify(gzip)(encodePprof(profile, takenAt));
      return { kind: "file", name: "profile", bytes };
    });
  }

  async #timed(asked: string | null, take: (ms: number) => Promise<Answer>): Promise<Answer> {
    const length = asked === null || asked === "" ? seconds.usual : Number(asked);
    if (!(length > 0 && length <= seconds.most))
      return plain(400, `seconds is a number above 0 and up to ${seconds.most}\n`);
    return this.#alone(() => take(length * 1_000));
  }

  async #alone(take: () => Promise<Answer>): Promise<Answer> {
    if (this.#isBusy) return plain(503, "Another profile is being taken\n");
    this.#isBusy = true;
    let body: Readable | undefined;
    try {
      const answer = await take();
      if (answer.kind === "stream") ({ body } = answer);
      return answer;
    } finally {
      if (body === undefined) this.#isBusy = false;
      else this.#isTakenUntilEndOf(body);
    }
  }

  /** What is left of a profile takes memory until it has been read. */
  #isTakenUntilEndOf(body: Readable): void {
    const limit = new Timer(longestReadMs, () => body.destroy(), { isBackground: true });
    body.once("close", () => {
      limit.cancel();
      this.#isBusy = false;
    });
  }
}

function plain(status: number, words: string): Answer {
  return { ...text(status, words), contentType: "text/plain; charset=utf-8" };
}
