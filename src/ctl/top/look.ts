/**
 * Asks Envoys for what they have counted, all at the same time.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { fetchHttp, HttpAnswerError } from "../../net/http-client.ts";
import { formatHostPort, type HostPort } from "../../net/host-port.ts";
import { countsRequests, endpointsPage, type Look, readLook, statisticsPage } from "./traffic.ts";

/** Who is asked, and where its admin interface is. */
export interface Sidecar {
  readonly name: string;
  readonly admin: HostPort;
}

/** What came of it. */
export type Looked =
  { readonly kind: "seen"; readonly look: Look } | { readonly kind: "no answer"; readonly problem: string };

/** Longest wait for one answer, in milliseconds: a table that waits for one of many is not live. */
const timeoutMs = 2_000;

/** Longest answer that is taken, in bytes. */
const maxBytes = 64 * 2 ** 20;

/** By the names of those who were asked. */
export async function lookAtAll(
  sidecars: readonly Sidecar[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Looked>> {
  return new Map(
    await Promise.all(
      sidecars.map(async (sidecar) => [sidecar.name, await lookAt(sidecar, signal)] as const),
    ),
  );
}

async function lookAt({ admin }: Sidecar, signal: AbortSignal): Promise<Looked> {
  try {
    const statistics = await ask(admin, statisticsPage, signal);
    const endpoints = countsRequests(statistics) ? undefined : await ask(admin, endpointsPage, signal);
    return { kind: "seen", look: readLook(statistics, endpoints, performance.now()) };
  } catch (error) {
    return { kind: "no answer", problem: `no answer of ${formatHostPort(admin)}: ${reasonOf(error)}` };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof HttpAnswerError && error.code === "TOO_LATE") return `none in ${timeoutMs / 1_000} s`;
  return errorMessage(error).split("\n")[0] ?? "";
}

async function ask(target: HostPort, url: string, signal: AbortSignal): Promise<unknown> {
  const { status, body } = await fetchHttp({ target, url, timeoutMs, maxBytes, signal });
  const text = body.toString("utf8");
  if (status !== 200) throw new Error(`status ${status}: ${text.trim().split("\n")[0] ?? ""}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error("what it answers is no JSON of an Envoy", { cause: error });
  }
}
