// Saves the images of a section: small images enlarged as in ganzoo's own files.

import { className } from "./controls.js";
import { fileName, save } from "./saving.js";

/** Downloads a canvas; parts of the file's name are joined with hyphens. */
export function download(canvas, { name, file }, ...parts) {
  const enlarged = document.createElement("canvas");
  enlarged.width = canvas.width * file.scale;
  enlarged.height = canvas.height * file.scale;
  const context = enlarged.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, enlarged.width, enlarged.height);
  const label = className() ? ["class", className()] : [];
  save(enlarged, [name, ...parts, ...label].map(fileName).join("-"), file.type);
}
