/** Numbers of the protocol (IANA's Domain Name System parameters). */

/** Types that are told apart here. */
export const type = { a: 1, ns: 2, cname: 5, soa: 6, ptr: 12, txt: 16, aaaa: 28, opt: 41, any: 255 } as const;

/** Classes. */
export const internetClass = 1;
export const anyClass = 255;

/** Response codes (RFC 1035, 4.1.1). */
export const rcode = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, notImp: 4, refused: 5 } as const;

/** Bits of the third and the fourth byte of a header. */
export const flag = { response: 0x80, authoritative: 0x04, truncated: 0x02, recursionDesired: 0x01 } as const;
export const recursionAvailable = 0x80;

/** Bytes of a header. */
export const headerBytes = 12;

/** What every client takes over UDP without EDNS (RFC 1035, 4.2.1), and what passes every network with it. */
export const plainUdpBytes = 512;
export const ednsUdpBytes = 1_232;

/** Most that a message over TCP can have, and so any. */
export const maxMessageBytes = 65_535;
