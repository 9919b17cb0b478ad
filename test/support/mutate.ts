/** Damage to bytes, the same for the same seed. */

/** Numbers from 0 to 1 that look random (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One of: flipped bits, cut off, bytes put in, bytes left out, noise. */
export function mutate(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * bytes.length);
  const noise = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
  switch (Math.floor(random() * 5)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      for (let flip = 0; flip < 3; flip += 1) {
        const index = Math.floor(random() * flipped.length);
        flipped[index] = (flipped[index] ?? 0) ^ (1 << Math.floor(random() * 8));
      }
      return flipped;
    }
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), noise(1 + Math.floor(random() * 8)), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + Math.floor(random() * 8))]);
    default:
      return noise(bytes.length);
  }
}
