import { element, offerClasses, offerTruncation, showStatus } from "./controls.js";
import { directions } from "./directions.js";
import { Generator } from "./generator.js";
import { interpolation } from "./interpolation.js";
import { mixing } from "./mixing.js";
import { samples } from "./samples.js";

async function begin() {
  let generator;
  try {
    generator = await Generator.load();
  } catch (error) {
    showStatus(`The model cannot be loaded: ${error.message}`);
    return;
  }
  const { spec } = generator;
  document.title = spec.name;
  document.body.classList.toggle("small-images", spec.file.scale > 1);
  element("name").textContent = spec.name;
  element("about").textContent = spec.description;
  element("licence").textContent = spec.license ? ` Licence of the weights: ${spec.license}.` : "";
  offerClasses(spec);
  offerTruncation(spec);
  element("settings").hidden = !spec.classes && !spec.styles;
  const draws = [samples(generator), interpolation(generator)];
  if (spec.styles) draws.push(mixing(generator));
  if (spec.directions) draws.push(directions(generator));
  const drawAll = () => Promise.all(draws.map((draw) => draw()));
  element("class").addEventListener("change", drawAll);
  element("truncation").addEventListener("input", drawAll);
  element("controls").disabled = false;
  showStatus("Computing the first images.");
  await drawAll();
}

begin();
