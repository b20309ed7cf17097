// Changes codes as ganzoo.sampling does: truncation, interpolation, mixing, moves along directions.

import { slerp } from "./latents.js";

/** Returns one w per layer, moved towards the average w by a factor psi. */
export function truncate(w, { layers, average }, psi) {
  const moved = w.map((value, k) => average[k] + psi * (value - average[k]));
  const styles = new Float32Array(layers * w.length);
  for (let layer = 0; layer < layers; layer++) styles.set(moved, layer * w.length);
  return styles;
}

/** Returns the code at position t, 0 to 1: on the straight line in w, or on the arc in z. */
export function interpolate(a, b, t, { styles }) {
  const line = (value, k) => (1 - t) * value + t * b.numbers[k];
  const numbers = styles ? a.numbers.map(line) : slerp(a.numbers, b.numbers, t);
  return { ...a, numbers };
}

/** Returns the code of a with the w of b in some layers. */
export function mix(a, b, chosen, { styles: { dim } }) {
  const numbers = a.numbers.map((value, k) =>
    chosen.includes(Math.floor(k / dim)) ? b.numbers[k] : value,
  );
  return { ...a, numbers };
}

/**
 * Returns a code that is moved along directions.
 * @param {{numbers: Float32Array}} code
 * @param {number[]} strengths in standard deviations of the model's latents, one for each direction
 */
export function move(code, strengths, { styles, directions: { steps, layers } }) {
  const numbers = code.numbers.slice();
  const dim = steps[0].length;
  for (const layer of styles ? layers : [0]) {
    strengths.forEach((strength, n) => {
      steps[n].forEach((step, k) => (numbers[layer * dim + k] += strength * step));
    });
  }
  return { ...code, numbers };
}
