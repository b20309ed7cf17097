import { Generator } from "./generator.js";
import { LARGEST_SEED, normal, slerp } from "./latents.js";

const PADDING = 2; // white pixels between the images of a grid
const ALL_CLASSES = "all";

const element = (id) => document.getElementById(id);
const showStatus = (text) => (element("status").textContent = text);

let generator;

/** Returns the seed in a field, or null and a message if the field holds no seed. */
function seedOf(input) {
  const text = input.value.trim();
  const valid = /^\d+$/.test(text) && BigInt(text) <= LARGEST_SEED;
  input.setAttribute("aria-invalid", String(!valid));
  if (!valid) showStatus(`A seed is a whole number from 0 to ${LARGEST_SEED}.`);
  return valid ? BigInt(text) : null;
}

/** Returns the classes of n images: the selected class, or all classes in order. */
function classes(n) {
  const { value } = element("class");
  if (value === ALL_CLASSES) {
    return Array.from({ length: n }, (_, k) => k % generator.spec.classes);
  }
  return Array(n).fill(Number(value));
}

/** Returns the name of the selected class. */
const className = () => element("class").selectedOptions[0].text;

/** Returns a text as part of a file name. */
const fileName = (text) => text.replace(/[^\p{L}\p{N}._-]/gu, "_");

/** Returns a function that draws a section; a new call cancels the previous one. */
function drawing(section, draw) {
  let newestCall = 0;
  return async () => {
    const call = ++newestCall;
    const outdated = () => call !== newestCall;
    section.setAttribute("aria-busy", "true");
    try {
      await draw(outdated);
    } catch (error) {
      showStatus(`The images cannot be computed: ${error.message}`);
    }
    if (!outdated()) section.setAttribute("aria-busy", "false");
  };
}

const drawGrid = drawing(element("samples"), async (outdated) => {
  const seed = seedOf(element("seed"));
  if (seed === null) return;
  const { image, latent_dim: dim, samples: n } = generator.spec;
  const columns = Math.ceil(Math.sqrt(n));
  const canvas = element("grid");
  const pixels = generator.images(normal(seed, n, dim), classes(n));
  let context;
  let k = 0;
  for await (const data of pixels) {
    if (outdated()) return;
    if (k === 0) {
      canvas.width = columns * (image.width + PADDING) + PADDING;
      canvas.height = Math.ceil(n / columns) * (image.height + PADDING) + PADDING;
      context = canvas.getContext("2d");
      context.fillStyle = "white";
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    const left = PADDING + (k % columns) * (image.width + PADDING);
    const top = PADDING + Math.floor(k / columns) * (image.height + PADDING);
    context.putImageData(data, left, top);
    k++;
  }
  const allClasses = element("class").value === ALL_CLASSES;
  const suffix = generator.spec.classes && !allClasses ? `, class ${className()}` : "";
  canvas.setAttribute("aria-label", `${n} images of seed ${seed}${suffix}`);
  showStatus(`${n} images of seed ${seed}${suffix}.`);
});

const drawWalk = drawing(element("walk"), async (outdated) => {
  const seeds = ["from", "to"].map((id) => seedOf(element(id)));
  if (seeds.includes(null)) return;
  const { latent_dim: dim, image } = generator.spec;
  const [a, b] = seeds.map((seed) => normal(seed, 1, dim));
  const slider = element("position");
  const position = Number(slider.value) / Number(slider.max);
  slider.setAttribute("aria-valuetext", `${Math.round(100 * position)} %`);
  const latents = [a, slerp(a, b, position), b];
  const [label] = classes(1);
  const canvases = ["start", "between", "end"].map(element);
  const z = Float32Array.from(latents.flatMap((latent) => [...latent]));
  let k = 0;
  for await (const data of generator.images(z, Array(latents.length).fill(label))) {
    if (outdated()) return;
    const canvas = canvases[k++];
    canvas.width = image.width;
    canvas.height = image.height;
    canvas.getContext("2d").putImageData(data, 0, 0);
  }
});

function download(canvas, name) {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  }, "image/png");
}

function offerClasses({ classes: number, labels }) {
  const select = element("class");
  select.add(new Option("all classes", ALL_CLASSES));
  for (let k = 0; k < number; k++) select.add(new Option(labels[k] ?? String(k), String(k)));
  element("class-field").hidden = number === 0;
}

function listen({ name }) {
  const suffix = () =>
    element("class").value === ALL_CLASSES ? "" : `-class-${fileName(className())}`;
  element("seed").addEventListener("change", drawGrid);
  element("next").addEventListener("click", () => {
    const seed = seedOf(element("seed")) ?? -1n;
    element("seed").value = String(seed < LARGEST_SEED ? seed + 1n : 0n);
    drawGrid();
  });
  element("class").addEventListener("change", () => Promise.all([drawGrid(), drawWalk()]));
  for (const id of ["from", "to"]) element(id).addEventListener("change", drawWalk);
  element("position").addEventListener("input", drawWalk);
  element("save-grid").addEventListener("click", () => {
    download(element("grid"), `${name}-seed-${element("seed").value.trim()}${suffix()}.png`);
  });
  element("save-walk").addEventListener("click", () => {
    const seeds = `${element("from").value.trim()}-${element("to").value.trim()}`;
    const position = `at-${element("position").value}`;
    download(element("between"), `${name}-seeds-${seeds}-${position}${suffix()}.png`);
  });
}

async function begin() {
  try {
    generator = await Generator.load();
  } catch (error) {
    showStatus(`The model cannot be loaded: ${error.message}`);
    return;
  }
  const { spec } = generator;
  document.title = spec.name;
  element("name").textContent = spec.name;
  element("about").textContent = spec.description;
  element("licence").textContent = spec.license ? ` Licence of the weights: ${spec.license}.` : "";
  offerClasses(spec);
  listen(spec);
  element("controls").disabled = false;
  await drawGrid();
  await drawWalk();
}

begin();
