/**
 * `/debug/pprof/`, as far as Node.js has what Go has: where the agent's processor time goes.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
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

  /** Answer a GET below `profilingRoot`. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    switch (pathname.slice(profilingRoot.length)) {
      case "":
        text(response, 200, index);
        return;
      case "cmdline":
        text(response, 200, this.#commandLine.join("\0"));
        return;
      case "symbol":
        text(response, 200, "num_symbols: 1\n");
        return;
      case "profile":
        await this.#profile(searchParams.get("seconds"), response);
        return;
      default:
        text(response, 404, "Unknown profile\n");
    }
  }

  async #profile(asked: string | null, response: ServerResponse): Promise<void> {
    const length = asked === null || asked === "" ? seconds.usual : Number(asked);
    if (!(length > 0 && length <= seconds.most)) {
      text(response, 400, `seconds is a number above 0 and up to ${seconds.most}\n`);
      return;
    }
    if (this.#isBusy) {
      text(response, 503, "Another profile is being taken\n");
      return;
    }
    this.#isBusy = true;
    const gone = new AbortController();
    const leave = (): void => {
      gone.abort();
    };
    response.once("close", leave);
    // Who has hung up is not told apart from who has said all that it has to say: nobody waits that long for nothing.
    response.socket?.once("end", leave);
    try {
      const takenAt = new Date();
      const profile = await takeCpuProfile(length * 1_000, gone.signal);
      if (gone.signal.aborted) {
        response.destroy();
        return;
      }
      const { encodePprof } = await import("./pprof.ts");
      const body = await promisify(gzip)(encodePprof(profile, takenAt));
      response
        .writeHead(200, {
          "content-type": "application/octet-stream",
          "content-disposition": 'attachment; filename="profile"',
          "x-content-type-options": "nosniff",
        })
        .end(body);
    } finally {
      this.#isBusy = false;
    }
  }
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(body);
}
