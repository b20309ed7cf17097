// Moves of one image along directions.

import { move } from "./codes.js";
import { codesOf, drawing, element, seedOf, show } from "./controls.js";
import { download } from "./download.js";

/** Starts the section, and returns a function that draws it. */
export function directions(generator) {
  const { spec } = generator;
  const sliders = spec.directions.names.map(addSlider);

  const draw = drawing(element("directions"), async (outdated) => {
    const seed = seedOf("directed-seed");
    if (seed === null) return;
    const [code] = await codesOf([seed], generator);
    const strengths = sliders.map((slider) => Number(slider.value));
    await show([move(code, strengths, spec)], [element("directed")], generator, outdated);
  });

  element("directed-seed").addEventListener("change", draw);
  for (const slider of sliders) slider.addEventListener("input", draw);
  element("reset-directions").addEventListener("click", () => {
    for (const slider of sliders) {
      slider.value = "0";
      slider.dispatchEvent(new Event("input"));
    }
  });
  element("save-directed").addEventListener("click", () => {
    const seed = element("directed-seed").value.trim();
    const strengths = sliders.map(({ value }) => value);
    download(element("directed"), spec, "seed", seed, "moved", ...strengths);
  });
  element("directions").hidden = false;
  return draw;
}

/** Adds the slider of a direction. */
function addSlider(name) {
  const label = document.createElement("label");
  const value = document.createElement("span");
  const slider = Object.assign(document.createElement("input"), { type: "range" });
  Object.assign(slider, { min: "-3", max: "3", step: "0.1", value: "0" });
  const showValue = () => (value.textContent = `${name}: ${Number(slider.value).toFixed(1)}`);
  slider.addEventListener("input", showValue);
  showValue();
  label.append(value, slider);
  element("direction-sliders").append(label);
  return slider;
}
