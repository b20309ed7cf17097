// The grid of samples of a seed.

import { className, drawing, element, labels, latents } from "./controls.js";
import { nextSeed, seedOf, showStatus, truncation } from "./controls.js";
import { download } from "./download.js";

const PADDING = 2; // white pixels between the images of a grid

/** Starts the section, and returns a function that draws it. */
export function samples(generator) {
  const { image, latent_dim: dim, samples: n } = generator.spec;
  const canvas = element("grid");
  const columns = Math.ceil(Math.sqrt(n));

  function clear() {
    canvas.width = columns * (image.width + PADDING) + PADDING;
    canvas.height = Math.ceil(n / columns) * (image.height + PADDING) + PADDING;
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    return context;
  }

  const draw = drawing(element("samples"), async (outdated) => {
    const seed = seedOf("seed");
    if (seed === null) return;
    const chosen = labels(n, generator.spec);
    const codes = await generator.codes(latents(seed, n, dim), chosen, truncation());
    let context;
    let k = 0;
    for await (const data of generator.images(codes)) {
      if (outdated()) return;
      context ??= clear();
      const left = PADDING + (k % columns) * (image.width + PADDING);
      const top = PADDING + Math.floor(k / columns) * (image.height + PADDING);
      context.putImageData(data, left, top);
      k++;
    }
    const text = `${n} images of seed ${seed}${className() && `, class ${className()}`}`;
    canvas.setAttribute("aria-label", text);
    showStatus(`${text}.`);
  });

  element("seed").addEventListener("change", draw);
  element("next").addEventListener("click", () => {
    const seed = seedOf("seed");
    element("seed").value = String(seed === null ? 0n : nextSeed(seed));
    draw();
  });
  element("save-grid").addEventListener("click", () => {
    download(canvas, generator.spec, "seed", element("seed").value.trim());
  });
  return draw;
}
