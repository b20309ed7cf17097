// Saves a canvas as an image file.

/** Returns a text as part of a file name. */
export const fileName = (text) => text.replace(/[^\p{L}\p{N}._-]/gu, "_");

/** Downloads a canvas; a browser without the type writes PNG. */
export function save(canvas, stem, type = "image/png") {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${stem}.${blob.type.split("/")[1]}`;
    link.click();
    URL.revokeObjectURL(link.href);
  }, type);
}
