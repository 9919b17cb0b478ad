/** Ranges of addresses in the notation of RFC 4632 and RFC 4291. */
import { isIP } from "./ip-version.ts";

/** True for an address with the length of its prefix, of either family. */
export function isCidr(text: string): boolean {
  const [address = "", length = "", ...further] = text.split("/");
  const version = isIP(address);
  return (
    version !== 0 &&
    further.length === 0 &&
    /^\d{1,3}$/.test(length) &&
    Number(length) <= (version === 4 ? 32 : 128)
  );
}
