// Converts a seed to latents, the same numbers as ganzoo.sampling.latents: Philox4x64-10 (Salmon et
// al., 2011) and the Box-Muller transform.

const WORD = 64n;
const MASK = (1n << WORD) - 1n;
const MULTIPLIERS = [0xd2e7470ee14c6c93n, 0xca5a826395121157n];
const WEYL = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn];
const ROUNDS = 10;
const WORDS = 4; // words per counter step

export const LARGEST_SEED = MASK;

/** Returns four random 64-bit words for a counter and a key. */
function philox(counter, seed) {
  let c = [counter & MASK, (counter >> WORD) & MASK, 0n, 0n];
  let key = [seed, 0n];
  for (let round = 0; round < ROUNDS; round++) {
    const a = MULTIPLIERS[0] * c[0];
    const b = MULTIPLIERS[1] * c[2];
    c = [(b >> WORD) ^ c[1] ^ key[0], b & MASK, (a >> WORD) ^ c[3] ^ key[1], a & MASK];
    key = key.map((k, i) => (k + WEYL[i]) & MASK);
  }
  return c;
}

/** Returns standard normal latents of images start to start + n - 1 of a seed, n rows of dim numbers. */
export function normal(seed, n, dim, start = 0) {
  const blocks = Math.ceil((2 * dim) / WORDS);
  const z = new Float32Array(n * dim);
  for (let row = 0; row < n; row++) {
    const first = BigInt(start + row) * BigInt(blocks) + 1n; // NumPy increments the counter before it draws
    const words = [];
    for (let k = 0; k < blocks; k++) words.push(...philox(first + BigInt(k), seed));
    const uniform = words.map((word) => (Number(word >> 11n) + 0.5) * 2 ** -53);
    for (let k = 0; k < dim; k++) {
      const radius = Math.sqrt(-2 * Math.log(uniform[k]));
      z[row * dim + k] = radius * Math.cos(2 * Math.PI * uniform[dim + k]);
    }
  }
  return z;
}

/** Returns the latent at position t, 0 to 1, on the arc from a to b (Shoemake, 1985). */
export function slerp(a, b, t) {
  const dot = (x, y) => x.reduce((sum, value, k) => sum + value * y[k], 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const omega = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(omega);
  const linear = sine < 1e-6; // equal or opposite directions, which have no unique arc
  const left = linear ? 1 - t : Math.sin((1 - t) * omega) / sine;
  const right = linear ? t : Math.sin(t * omega) / sine;
  return a.map((value, k) => left * value + right * b[k]);
}
