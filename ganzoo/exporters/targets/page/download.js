// Saves a canvas as an image file: small images enlarged as in ganzoo's own files.

import { className } from "./controls.js";

/** Returns a text as part of a file name. */
const fileName = (text) => text.replace(/[^\p{L}\p{N}._-]/gu, "_");

/** Downloads a canvas; parts of the file's name are joined with hyphens. */
export function download(canvas, { name, file }, ...parts) {
  const enlarged = document.createElement("canvas");
  enlarged.width = canvas.width * file.scale;
  enlarged.height = canvas.height * file.scale;
  const context = enlarged.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, enlarged.width, enlarged.height);
  const label = className() ? ["class", className()] : [];
  const stem = [name, ...parts, ...label].map(fileName).join("-");
  enlarged.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${stem}.${blob.type.split("/")[1]}`; // a browser without WebP writes PNG
    link.click();
    URL.revokeObjectURL(link.href);
  }, file.type);
}
