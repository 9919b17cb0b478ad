/** Bits of an RSA key: fewer can be factored; more burn the processor at each use, and BoringSSL refuses them. */
export const rsaBits = { least: 2_048, most: 8_192 } as const;
