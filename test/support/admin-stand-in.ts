/** An Envoy admin socket that behaves as no real Envoy can be made to: silent, failing, or changing its mind. */
import { join } from "node:path";
import { HttpServer } from "../../src/net/http-server.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** What one path answers: a body, a status without one, or nothing at all (undefined). */
export type Answer = string | { readonly status: number } | undefined;

export interface AdminStandIn extends AsyncDisposable {
  readonly socketPath: string;
  /** Method and URL of each request so far. */
  readonly requests: readonly string[];
  /** Requests so far whose client went away without an answer. */
  readonly abandoned: number;
}

/** @param answer is asked anew for each request, with the number of requests to that path so far */
export async function startAdminStandIn(
  answer: (path: string, earlier: number) => Answer,
): Promise<AdminStandIn> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const socketPath = join(folder.path, "admin.sock");
  const requests: string[] = [];
  let abandoned = 0;
  const counts = new Map<string, number>();
  stack.use(
    await HttpServer.listen({ path: socketPath, mode: 0o600 }, (request, response) => {
      const path = (request.url ?? "").split("?")[0] ?? "";
      const earlier = counts.get(path) ?? 0;
      counts.set(path, earlier + 1);
      requests.push(`${request.method} ${request.url}`);
      const given = answer(path, earlier);
      if (given === undefined) {
        response.once("close", () => (abandoned += 1));
        return;
      }
      const [status, body] = typeof given === "string" ? [200, given] : [given.status, ""];
      response.writeHead(status).end(body);
    }),
  );
  const owned = stack.move();
  return {
    socketPath,
    requests,
    get abandoned() {
      return abandoned;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
