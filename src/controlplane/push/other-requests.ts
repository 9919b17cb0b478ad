/** Requests over ADS that are no proxy's: for debug pages, and for objects. */
import type { ByteStream } from "../../grpc/channel.ts";
import type { TaskGroup } from "../../lifecycle/task-group.ts";
import { ConfigStream, type ConfigStreamContext, isConfigRequest } from "./config-stream.ts";
import { answerDebug, type DebugStreamContext, isDebugRequest } from "./debug-stream.ts";
import type { Request, ServerProtocol } from "./protocol.ts";

/** What they are answered from. */
export type OtherRequestsContext = ConfigStreamContext & DebugStreamContext;

/** Those of one stream. */
export class OtherRequests {
  readonly #protocol: ServerProtocol;
  readonly #stream: ByteStream;
  readonly #context: OtherRequestsContext;
  #objects: ConfigStream | undefined;

  constructor(protocol: ServerProtocol, stream: ByteStream, context: OtherRequestsContext) {
    this.#protocol = protocol;
    this.#stream = stream;
    this.#context = context;
  }

  /** False for a proxy's. @throws GrpcError for what may not be asked */
  async answers(request: Request, tasks: TaskGroup): Promise<boolean> {
    if (isDebugRequest(request)) {
      await answerDebug(this.#protocol, this.#stream, request, this.#context);
      return true;
    }
    if (!isConfigRequest(request)) return false;
    if (this.#objects === undefined) {
      const objects = new ConfigStream(this.#protocol, this.#stream, this.#context);
      this.#objects = objects;
      tasks.spawn("tell-objects", (signal) => objects.follow(signal));
    }
    await this.#objects.receive(request);
    return true;
  }
}
