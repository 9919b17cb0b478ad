/** The real Envoy, found or fetched as the program does. */
import { ensureEnvoy } from "../../src/envoy/binary/ensure.ts";

export function testEnvoy(): Promise<string> {
  const envoyPath = process.env["ENVOY_PATH"];
  return ensureEnvoy({ binaryPath: undefined, envoyPath, env: process.env }, () => undefined);
}
