/** `node dial-main.ts host:port`: whether a server with no root that anybody gave is trusted. */
import { dial } from "../../src/grpc/dial.ts";

const [address = ""] = process.argv.slice(2);
try {
  const socket = await dial({ address, tls: { rootCertificates: undefined } }, AbortSignal.timeout(10_000));
  socket.destroy();
  process.stdout.write("trusted\n");
} catch (error) {
  process.stdout.write(`refused: ${String(error)}\n`);
}
