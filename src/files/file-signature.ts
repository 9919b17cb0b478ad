/**
 * Whether a file is another than before.
 */
import { statSync } from "node:fs";
import { errorCode } from "../lifecycle/error-message.ts";

/** Another text once the file at `path` is another or was written to; the error's code where there is none. Never throws. */
export function fileSignature(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return errorCode(error) ?? "";
  }
}
