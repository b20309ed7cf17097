// The page of a model that enlarges or restores images of any size.

import { comparison } from "./comparison.js";
import { loadSpec, openNetworks } from "./runtime.js";
import { fileName, save } from "./saving.js";
import { translate } from "./tiles.js";

const MAX_PIXELS = 2 ** 27; // of a result: four bytes of each are in memory, and browsers allow 2 ** 28
const MAX_SIDE = 16384; // of a canvas
const INTERVAL = 1000; // milliseconds between two estimates of the time

const element = (id) => document.getElementById(id);
const showStatus = (text) => (element("status").textContent = text);
const describe = ({ width, height }) => `${width}x${height}`;

/** Returns the description of the model, and a function that returns the images of a tile. */
async function load() {
  const spec = await loadSpec();
  const { ort, sessions } = await openNetworks(spec, ["model"]);
  const network = async ({ condition, dims }) => {
    const feeds = { condition: new ort.Tensor("float32", condition, dims) };
    return (await sessions.model.run(feeds)).images;
  };
  return { spec, network };
}

async function begin() {
  let spec, network;
  try {
    ({ spec, network } = await load());
  } catch (error) {
    showStatus(`The model cannot be loaded: ${error.message}`);
    return;
  }
  document.title = spec.name;
  element("name").textContent = spec.name;
  element("about").textContent = spec.description;
  element("licence").textContent = spec.license ? ` Licence of the weights: ${spec.license}.` : "";
  element("controls").disabled = false;
  const hint = spec.scale > 1 ? ` Its sides become ${spec.scale} times as long.` : "";
  showStatus(`Choose a picture.${hint}`);

  const showComparison = comparison();
  let run = 0; // number of the newest run; another number ends a run
  let name = "";

  async function enlarge(file) {
    if (!file) return;
    const number = ++run;
    let image;
    try {
      image = await createImageBitmap(file); // upright, and in the colours of the screen
    } catch {
      showStatus(`This browser cannot read ${file.name}. Choose a PNG, JPEG or WebP file.`);
      return;
    }
    const [width, height] = [spec.scale * image.width, spec.scale * image.height];
    if (width * height > MAX_PIXELS || Math.max(width, height) > MAX_SIDE) {
      showStatus(
        `The result of ${describe(image)} pixels would have ${width}x${height}, and a page has at ` +
          `most ${MAX_SIDE} in a side and ${Math.floor(MAX_PIXELS / 1e6)} million in all. Choose a ` +
          "smaller picture, or run: ganzoo upscale",
      );
      return;
    }
    if (number !== run) return;
    name = file.name.replace(/\.[^.]*$/, "");
    await compute(image, number);
  }

  async function compute(image, number) {
    const { before, after } = prepare(image, spec.scale);
    const pixels = before.getImageData(0, 0, image.width, image.height);
    element("comparison").hidden = element("running").hidden = false;
    element("save").disabled = true;
    element("progress").value = 0;
    element("upscaler").setAttribute("aria-busy", "true");
    showComparison(after.canvas.width, after.canvas.height);
    showStatus(`${describe(image)} pixels: computing the first tile.`);
    const since = performance.now();
    let latest = since; // time of the latest estimate
    try {
      for await (const part of translate(pixels, spec, network)) {
        if (number !== run) return;
        if (part.image) after.putImageData(part.image, part.x, part.y);
        element("progress").value = part.share;
        const now = performance.now();
        if (now - latest < INTERVAL) continue;
        latest = now;
        const left = ((now - since) * (1 - part.share)) / part.share;
        showStatus(`${Math.floor(100 * part.share)} % computed, ${clock(left)} left.`);
      }
      if (hasAlpha(pixels)) enlargeAlpha(before.canvas, after);
      const result = `${describe(image)} pixels became ${describe(after.canvas)}`;
      showStatus(`${result} in ${clock(performance.now() - since)}.`);
      element("save").disabled = false;
    } catch (error) {
      if (number === run) showStatus(`The picture cannot be computed: ${error.message}`);
    } finally {
      if (number === run) finish();
    }
  }

  function finish() {
    element("running").hidden = true;
    element("upscaler").setAttribute("aria-busy", "false");
  }

  element("file").addEventListener("change", ({ target }) => {
    enlarge(target.files[0]);
    target.value = ""; // so that the same file can be chosen again
  });
  element("cancel").addEventListener("click", () => {
    run++;
    finish();
    showStatus("Cancelled. Choose a picture.");
  });
  element("save").addEventListener("click", () => {
    save(element("after"), `${fileName(name)}-${fileName(spec.name)}`);
  });
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault(); // else the browser opens the file
      document.body.classList.toggle("dropping", kind === "dragover");
      if (kind === "drop") enlarge(event.dataTransfer.files[0]);
    });
  }
  document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
}

/** Draws an image on the first canvas, and as the browser enlarges it on the second. */
function prepare(image, scale) {
  const [before, after] = ["before", "after"].map((id) => {
    const canvas = element(id);
    const factor = id === "after" ? scale : 1;
    canvas.width = factor * image.width;
    canvas.height = factor * image.height;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return context;
  });
  return { before, after };
}

const hasAlpha = ({ data }) => data.some((value, k) => k % 4 === 3 && value < 255);

/** Gives an enlarged image the transparency of the original, enlarged by the browser. */
function enlargeAlpha(before, after) {
  after.globalCompositeOperation = "destination-in";
  after.imageSmoothingQuality = "high";
  after.drawImage(before, 0, 0, after.canvas.width, after.canvas.height);
  after.globalCompositeOperation = "source-over";
}

/** Returns milliseconds as minutes and seconds. */
function clock(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

begin();
