// The interpolation between two seeds, by hand or by itself.

import { interpolate } from "./codes.js";
import { codesOf, drawing, element, labels, nextSeed, seedsOf, show } from "./controls.js";
import { truncation } from "./controls.js";
import { download } from "./download.js";

const SECONDS = 4; // from one seed to the next
const LARGEST_STEP = 5; // of the slider, between two images of a slow model

/** Starts the section, and returns a function that draws it. */
export function interpolation(generator) {
  const { spec } = generator;
  const slider = element("position");
  const button = element("play");
  let current; // seeds, class and truncation of the codes
  let ends; // codes of both seeds
  let players = 0; // started or ended so far, so that an ended one notices
  let playing = false;

  const draw = drawing(element("walk"), async (outdated) => {
    const seeds = seedsOf("from", "to");
    if (seeds === null) return pause();
    const position = Number(slider.value) / Number(slider.max);
    slider.setAttribute("aria-valuetext", `${Math.round(100 * position)} %`);
    const key = [...seeds, ...labels(1, spec), truncation()].join();
    const isNew = key !== current;
    const codes = isNew ? await codesOf(seeds, generator) : ends;
    const middle = interpolate(...codes, position, spec);
    const drawn = isNew ? [middle, ...codes] : [middle];
    await show(drawn, ["between", "start", "end"].map(element), generator, outdated);
    if (!outdated()) [current, ends] = [key, codes];
  });

  function pause() {
    playing = false;
    players++;
    button.textContent = "Play";
  }

  async function play() {
    const player = ++players;
    playing = true;
    button.textContent = "Pause";
    let position = Number(slider.value);
    let last = performance.now();
    while (player === players) {
      const now = await new Promise(requestAnimationFrame);
      const step = (slider.max * Math.max(0, now - last)) / (1000 * SECONDS);
      position += Math.min(step, LARGEST_STEP);
      last = now;
      if (player !== players || (position >= slider.max && !advance())) return;
      position %= slider.max;
      slider.value = String(position);
      await draw();
    }
  }

  /** Goes on to the next seed. */
  function advance() {
    const seeds = seedsOf("from", "to");
    if (seeds === null) {
      pause();
      return false;
    }
    element("from").value = String(seeds[1]);
    element("to").value = String(nextSeed(seeds[1]));
    return true;
  }

  for (const id of ["from", "to"]) element(id).addEventListener("change", draw);
  slider.addEventListener("input", () => {
    pause();
    draw();
  });
  button.addEventListener("click", () => (playing ? pause() : play()));
  element("save-walk").addEventListener("click", () => {
    const seeds = ["from", "to"].map((id) => element(id).value.trim());
    download(element("between"), spec, "seeds", ...seeds, "at", slider.value);
  });
  return draw;
}
