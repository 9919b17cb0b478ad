/** An application that is reached at an address of this machine: the API of Kubernetes takes no endpoint on loopback. */
import { HttpServer } from "../../../src/net/http-server.ts";

export async function startLocalApp(name: string, host: string): Promise<HttpServer> {
  return HttpServer.listen({ host, port: 0 }, (_, response) => {
    response.writeHead(200, { "content-type": "text/plain" }).end(name);
    return Promise.resolve();
  });
}
