/** Google's metadata server, as far as it gives identity tokens; it can be told to misbehave. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface MetadataAnswer {
  readonly status?: number;
  readonly body: string;
  /** False leaves out the header by which the server is known. */
  readonly isGoogle?: boolean;
}

export class TestMetadataServer implements AsyncDisposable {
  readonly #server: Server;
  /** Audience of each question. */
  readonly audiences: string[] = [];
  /** May be replaced while the server runs; undefined never answers. */
  answer: (audience: string) => MetadataAnswer | undefined;

  private constructor(answer: TestMetadataServer["answer"]) {
    this.answer = answer;
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://metadata");
      const isIdentity = url.pathname === "/computeMetadata/v1/instance/service-accounts/default/identity";
      // Whoever forges a request cannot set the header.
      if (!isIdentity || request.headers["metadata-flavor"] !== "Google") {
        response.writeHead(isIdentity ? 403 : 404).end();
        return;
      }
      const audience = url.searchParams.get("audience") ?? "";
      this.audiences.push(`${audience} ${url.searchParams.get("format") ?? ""}`);
      const given = this.answer(audience);
      if (given === undefined) return;
      const headers = given.isGoogle === false ? {} : { "metadata-flavor": "Google" };
      response.writeHead(given.status ?? 200, headers).end(given.body);
    });
  }

  static async listen(answer: TestMetadataServer["answer"]): Promise<TestMetadataServer> {
    const server = new TestMetadataServer(answer);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get host(): string {
    return "127.0.0.1";
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await Promise.resolve();
  }
}
