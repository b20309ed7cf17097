// Fields, messages and drawing that the sections share.

import { LARGEST_SEED, normal } from "./latents.js";

const ALL_CLASSES = "all";

export const element = (id) => document.getElementById(id);
export const showStatus = (text) => (element("status").textContent = text);

/** Returns the seed in a field, or null and a message if the field holds no seed. */
export function seedOf(id) {
  const input = element(id);
  const text = input.value.trim();
  const valid = /^\d+$/.test(text) && BigInt(text) <= LARGEST_SEED;
  input.setAttribute("aria-invalid", String(!valid));
  if (!valid) showStatus(`A seed is a whole number from 0 to ${LARGEST_SEED}.`);
  return valid ? BigInt(text) : null;
}

/** Returns the seeds in fields, or null and a message if a field holds no seed. */
export function seedsOf(...ids) {
  const seeds = ids.map(seedOf);
  return seeds.includes(null) ? null : seeds;
}

/** Returns the seed after a seed, and 0 after the last one. */
export const nextSeed = (seed) => (seed < LARGEST_SEED ? seed + 1n : 0n);

/** Returns the latents of images 0 to n - 1 of a seed. */
export function latents(seed, n, dim) {
  const numbers = normal(seed, n, dim);
  return Array.from({ length: n }, (_, k) => numbers.slice(k * dim, (k + 1) * dim));
}

/** Returns the classes of n images: the selected class, or all classes in order. */
export function labels(n, { classes }) {
  const { value } = element("class");
  if (value === ALL_CLASSES) return Array.from({ length: n }, (_, k) => k % classes);
  return Array(n).fill(Number(value));
}

/** Returns the codes of image 0 of seeds, of one class. */
export function codesOf(seeds, generator) {
  const { spec } = generator;
  const z = seeds.flatMap((seed) => latents(seed, 1, spec.latent_dim));
  const [label] = labels(1, spec);
  return generator.codes(z, Array(seeds.length).fill(label), truncation());
}

/** Returns the name of the selected class; empty for all classes. */
export function className() {
  const { value, selectedOptions } = element("class");
  return value === ALL_CLASSES ? "" : selectedOptions[0].text;
}

/** Fills the menu of classes. */
export function offerClasses({ classes, labels }) {
  const select = element("class");
  select.add(new Option("all classes", ALL_CLASSES));
  for (let k = 0; k < classes; k++) select.add(new Option(labels[k] ?? String(k), String(k)));
  element("class-field").hidden = classes === 0;
}

/** Returns the selected truncation. */
export const truncation = () => Number(element("truncation").value);

/** Shows the slider of the truncation if the model has a mapping network. */
export function offerTruncation({ styles }) {
  const slider = element("truncation");
  const show = () => (element("truncation-value").textContent = truncation().toFixed(2));
  element("truncation-field").hidden = !styles;
  if (styles) slider.value = String(styles.truncation);
  slider.addEventListener("input", show);
  show();
}

/** Returns a function that draws a section; a new call ends the previous one. */
export function drawing(section, draw) {
  let newestCall = 0;
  let previous = Promise.resolve();
  return () => {
    const call = ++newestCall;
    const outdated = () => call !== newestCall;
    section.setAttribute("aria-busy", "true");
    previous = previous.then(async () => {
      if (outdated()) return;
      try {
        await draw(outdated);
      } catch (error) {
        showStatus(`The images cannot be computed: ${error.message}`);
      }
      if (!outdated()) section.setAttribute("aria-busy", "false");
    });
    return previous;
  };
}

/** Shows the images of codes, one on each canvas. */
export async function show(codes, canvases, generator, outdated) {
  let k = 0;
  for await (const data of generator.images(codes)) {
    if (outdated()) return;
    const canvas = canvases[k++];
    canvas.width = data.width;
    canvas.height = data.height;
    canvas.getContext("2d").putImageData(data, 0, 0);
  }
}
