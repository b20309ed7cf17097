// Style mixing: the image of one seed, with the w of another seed in some layers.

import { mix } from "./codes.js";
import { codesOf, drawing, element, seedsOf, show } from "./controls.js";
import { download } from "./download.js";

/** Starts the section, and returns a function that draws it. */
export function mixing(generator) {
  const { spec } = generator;
  const menu = element("mix-layers");
  const last = spec.styles.layers - 1;
  for (const [name, layers] of Object.entries(spec.styles.groups)) {
    const range = [...new Set([layers[0], layers.at(-1)])].join("-");
    menu.add(new Option(`${name}: ${range} of 0-${last}`, name));
  }

  const draw = drawing(element("mixing"), async (outdated) => {
    const seeds = seedsOf("mix-first", "mix-second");
    if (seeds === null) return;
    const [a, b] = await codesOf(seeds, generator);
    const codes = [a, mix(a, b, spec.styles.groups[menu.value], spec), b];
    const canvases = ["mix-first-image", "mixed", "mix-second-image"].map(element);
    await show(codes, canvases, generator, outdated);
  });

  for (const id of ["mix-first", "mix-second", "mix-layers"]) {
    element(id).addEventListener("change", draw);
  }
  element("save-mixed").addEventListener("click", () => {
    const seeds = ["mix-first", "mix-second"].map((id) => element(id).value.trim());
    download(element("mixed"), spec, "seeds", ...seeds, menu.value);
  });
  element("mixing").hidden = false;
  return draw;
}
