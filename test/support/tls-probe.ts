/** Whether a TLS server is there. */
import { connect } from "node:tls";

/** True when a TLS handshake succeeds, whoever the server is. */
export function handshakes(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, timeout: 1_000 }, () => {
      resolve(true);
      socket.destroy();
    });
    socket.on("error", () => {
      resolve(false);
    });
    socket.on("timeout", () => {
      resolve(false);
      socket.destroy();
    });
  });
}
