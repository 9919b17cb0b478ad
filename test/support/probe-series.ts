/** Asks the same question over and over, as a kubelet does, only faster. */
import { sleep } from "../../src/lifecycle/sleep.ts";
import { fetchHttp, type HttpRequest } from "../../src/net/http-client.ts";

export interface ProbeAnswer {
  /** When it was asked, in milliseconds of `performance.now()`. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Undefined when there was none. */
  readonly status: number | undefined;
}

export class ProbeSeries implements AsyncDisposable {
  readonly answers: ProbeAnswer[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(target: HttpRequest["target"], url: string, everyMs: number) {
    this.#running = this.#run(target, url, everyMs);
  }

  /** Longest time without a 200, from the first question that got none to the next answer. */
  get longestOutageMs(): number {
    let longest = 0;
    let since: number | undefined;
    for (const { askedAt, answeredAt, status } of this.answers) {
      if (status !== 200) since ??= askedAt;
      if (since === undefined) continue;
      longest = Math.max(longest, answeredAt - since);
      if (status === 200) since = undefined;
    }
    return Math.round(longest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(target: HttpRequest["target"], url: string, everyMs: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const askedAt = performance.now();
      const status = await fetchHttp({ target, url, timeoutMs: 1_000 }).then(
        (response) => response.status,
        () => undefined,
      );
      this.answers.push({ askedAt, answeredAt: performance.now(), status });
      await sleep(everyMs, this.#stop.signal);
    }
  }
}
