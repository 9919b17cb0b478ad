/** Makes the connection that proves the rules, and looks where it ends. */
import { connect, createServer, type Socket } from "node:net";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import { formatHostPort } from "../../net/host-port.ts";
import type { OriginalDestination } from "../../net/original-destination.ts";
import { loopbacks, type Proof } from "./proof.ts";

/** How it went; `seen` is for people. */
export type ProofOutcome =
  | { readonly kind: "proven" }
  /** Envoy's port is taken, so that nothing can be proven. */
  | { readonly kind: "impossible"; readonly seen: string }
  | { readonly kind: "disproven"; readonly seen: string };

/** Between two tries, in milliseconds, as Istio has it. */
const betweenTriesMs = 1_000;

/**
 * Listens where Envoy would and connects until the connection comes in, sent to where it was sent.
 *
 * @param timeoutMs of all tries
 */
export async function prove(
  proof: Proof,
  originalDestination: OriginalDestination,
  timeoutMs: number,
): Promise<ProofOutcome> {
  const { landsOn, to, port } = proof;
  const arrived = Promise.withResolvers<true>();
  let last = "nothing came in";
  const server = createServer((socket) => {
    const sent = originalDestination(socket);
    socket.on("error", () => undefined).destroy();
    if (sent?.port === port) arrived.resolve(true);
    // Somebody else's connection, maybe: it proves nothing.
    else last = `one came in that was sent to ${sent === undefined ? "this port" : formatHostPort(sent)}`;
  });
  const here = { host: loopbacks[proof.family], port: landsOn };
  const problem = await new Promise<string | undefined>((resolve) => {
    server.once("error", (error) => {
      resolve(errorMessage(error));
    });
    server.listen(here, () => {
      resolve(undefined);
    });
  });
  if (problem !== undefined) return { kind: "impossible", seen: problem };
  using deadline = new Deadline(timeoutMs);
  const stop = new AbortController();
  const tries = async (): Promise<false> => {
    while (!deadline.signal.aborted && !stop.signal.aborted) {
      last = (await attempt(proof, deadline.signal)) ?? last;
      await sleep(betweenTriesMs, AbortSignal.any([deadline.signal, stop.signal]));
    }
    return false;
  };
  const trying = tries();
  const isProven = await Promise.race([arrived.promise, trying]);
  stop.abort();
  server.close();
  await trying;
  if (isProven) return { kind: "proven" };
  const where = formatHostPort({ host: to, port });
  return { kind: "disproven", seen: `a connection to ${where} must end on port ${landsOn}: ${last}` };
}

/** Resolves with why there was no connection. */
function attempt({ from, to, port }: Proof, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: to, port, ...(from === undefined ? {} : { localAddress: from }) });
    const end = (seen?: string): void => {
      clearOnAbort();
      socket.destroy();
      resolve(seen);
    };
    const onAbort = (): void => {
      end("nobody answered");
    };
    const clearOnAbort = (): void => {
      signal.removeEventListener("abort", onAbort);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("error", (error) => {
      end(errorMessage(error));
    });
    socket.once("connect", () => {
      end();
    });
  });
}
