import { Generator } from "./generator.js";
import { LARGEST_SEED, normal, slerp } from "./latents.js";

const PADDING = 2; // white pixels between the pictures of a grid
const IN_TURN = "in turn";

const element = (id) => document.getElementById(id);
const say = (text) => (element("status").textContent = text);

let generator;

/** The seed in a field, or null where it holds none; says what a seed is. */
function seedOf(input) {
  const text = input.value.trim();
  const valid = /^\d+$/.test(text) && BigInt(text) <= LARGEST_SEED;
  input.setAttribute("aria-invalid", String(!valid));
  if (!valid) say(`A seed is a whole number from 0 to ${LARGEST_SEED}.`);
  return valid ? BigInt(text) : null;
}

/** Classes of n images: the chosen one, or all in turn. */
function classes(n) {
  const { value } = element("class");
  if (value === IN_TURN) return Array.from({ length: n }, (_, k) => k % generator.spec.classes);
  return Array(n).fill(Number(value));
}

/** Makes a function that draws: when it is called again it gives up what it was drawing. */
function drawing(section, draw) {
  let newest = 0;
  return async () => {
    const turn = ++newest;
    const outdated = () => turn !== newest;
    section.setAttribute("aria-busy", "true");
    try {
      await draw(outdated);
    } catch (error) {
      say(`The images cannot be computed: ${error.message}`);
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
  const pictures = generator.pictures(normal(seed, n, dim), classes(n));
  let context;
  let k = 0;
  for await (const picture of pictures) {
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
    context.putImageData(picture, left, top);
    k++;
  }
  const of = element("class").selectedOptions[0];
  const which = generator.spec.classes && of.value !== IN_TURN ? `, class ${of.text}` : "";
  canvas.setAttribute("aria-label", `${n} images of seed ${seed}${which}`);
  say(`${n} images of seed ${seed}${which}.`);
});

const drawWalk = drawing(element("walk"), async (outdated) => {
  const seeds = ["from", "to"].map((id) => seedOf(element(id)));
  if (seeds.includes(null)) return;
  const { latent_dim: dim, image } = generator.spec;
  const [a, b] = seeds.map((seed) => normal(seed, 1, dim));
  const slider = element("position");
  const position = Number(slider.value) / Number(slider.max);
  slider.setAttribute("aria-valuetext", `${Math.round(100 * position)} % of the way`);
  const latents = [a, slerp(a, b, position), b];
  const [label] = classes(1);
  const canvases = ["start", "between", "end"].map(element);
  const z = Float32Array.from(latents.flatMap((each) => [...each]));
  let k = 0;
  for await (const picture of generator.pictures(z, Array(latents.length).fill(label))) {
    if (outdated()) return;
    const canvas = canvases[k++];
    canvas.width = image.width;
    canvas.height = image.height;
    canvas.getContext("2d").putImageData(picture, 0, 0);
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
  select.add(new Option("all in turn", IN_TURN));
  for (let k = 0; k < number; k++) select.add(new Option(labels[k] ?? String(k), String(k)));
  element("class-field").hidden = number === 0;
}

function listen({ name }) {
  const chosen = () => (element("class").value === IN_TURN ? "" : `-class-${element("class").value}`);
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
    download(element("grid"), `${name}-seed-${element("seed").value.trim()}${chosen()}.png`);
  });
  element("save-walk").addEventListener("click", () => {
    const seeds = `${element("from").value.trim()}-${element("to").value.trim()}`;
    const at = `at-${element("position").value}`;
    download(element("between"), `${name}-seeds-${seeds}-${at}${chosen()}.png`);
  });
}

async function begin() {
  try {
    generator = await Generator.load();
  } catch (error) {
    say(`The model cannot be loaded: ${error.message}`);
    return;
  }
  const { spec } = generator;
  document.title = spec.name;
  element("name").textContent = spec.name;
  element("about").textContent = spec.description;
  element("licence").textContent = spec.license ? ` Its weights are under ${spec.license}.` : "";
  offerClasses(spec);
  listen(spec);
  element("controls").disabled = false;
  await drawGrid();
  await drawWalk();
}

begin();
