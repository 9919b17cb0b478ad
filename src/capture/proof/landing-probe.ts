/** A real connection, and where it lands. */
import { connect } from "node:net";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { Timer } from "../../lifecycle/timer.ts";
import { acceptedAt } from "../../net/accepted-at.ts";

/** Where it was found. */
export type ProbeOutcome =
  /** On a port of this pod. */
  | { readonly kind: "here"; readonly port: number }
  /** Connected, and not with anything in this pod. */
  | { readonly kind: "elsewhere" }
  | { readonly kind: "failed"; readonly message: string };

/** Connects, sends nothing, and closes. */
export function probeLanding(host: string, port: number, timeoutMs: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (outcome: ProbeOutcome): void => {
      timer.cancel();
      socket.destroy();
      resolve(outcome);
    };
    const timer = new Timer(timeoutMs, () => {
      // A process that was held up for so long has not looked yet whether the connection is there.
      setImmediate(() => {
        end({ kind: "failed", message: "nobody answered" });
      });
    });
    socket.once("error", (error) => {
      end({ kind: "failed", message: errorMessage(error) });
    });
    socket.once("connect", () => {
      const landed = acceptedAt(socket);
      end(landed === undefined ? { kind: "elsewhere" } : { kind: "here", port: landed });
    });
  });
}
