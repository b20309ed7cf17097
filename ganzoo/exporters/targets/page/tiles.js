// Translates an image tile by tile, the same as ganzoo.sampling.tiles.

const COLOURS = 3;

/** Returns the smallest side that the network reads and that is not below a side. */
const padded = (side, { multiple, smallest }) =>
  Math.ceil(Math.max(side, smallest) / multiple) * multiple;

/** Returns the pixel that padding by reflection repeats. */
function reflected(k, length) {
  if (length === 1) return 0;
  const place = k % (2 * (length - 1));
  return place < length ? place : 2 * (length - 1) - place;
}

function ramp(pixel, centre, width) {
  if (!width) return Number(pixel > centre);
  return Math.min(1, Math.max(0, (pixel - centre) / width + 0.5));
}

/** Returns the tiles along one axis, and the weight of each pixel of their outputs. */
export function spans(length, { scale, tiles: { side, step, blend } }) {
  const starts = [];
  for (let start = 0; start < length - side; start += step) starts.push(start);
  starts.push(Math.max(0, length - side));
  const size = Math.min(length, side);
  const centres = starts.slice(1).map((start, k) => (starts[k] + size + start) / 2);
  return starts.map((start, k) => {
    const weights = new Float32Array(scale * size);
    for (let p = 0; p < weights.length; p++) {
      const pixel = (scale * start + p + 0.5) / scale;
      const rising = k ? ramp(pixel, centres[k - 1], blend) : 1;
      weights[p] = rising - (k < centres.length ? ramp(pixel, centres[k], blend) : 0);
    }
    return { start, stop: start + size, weights };
  });
}

/** Returns a tile as a network reads it; one of a single channel reads the colours one by one. */
function cut({ data, width, height }, row, column, { reads }) {
  const [tall, wide] = [row.stop - row.start, column.stop - column.start];
  const condition = new Float32Array(COLOURS * tall * wide);
  for (let y = 0; y < tall; y++) {
    const line = reflected(row.start + y, height) * width;
    for (let x = 0; x < wide; x++) {
      const pixel = 4 * (line + reflected(column.start + x, width));
      for (let c = 0; c < COLOURS; c++) {
        condition[(c * tall + y) * wide + x] = data[pixel + c] / 127.5 - 1;
      }
    }
  }
  return { condition, dims: [COLOURS / reads, reads, tall, wide] };
}

/**
 * Yields the parts of the translation as they are complete, one for each tile: {image, x, y, share}.
 * @param {ImageData} image
 * @param spec the description of the model
 * @param run returns the images of a condition, {data, dims}
 */
export async function* translate(image, spec, run) {
  const { scale } = spec;
  const rows = spans(padded(image.height, spec), spec);
  const columns = spans(padded(image.width, spec), spec);
  const width = scale * columns.at(-1).stop;
  const limits = { x: scale * image.width, y: scale * image.height };
  let strip; // the sums of weighted outputs of a row of tiles, (channels, height, width)
  for (const [r, row] of rows.entries()) {
    const height = scale * (row.stop - row.start);
    let channels = 0;
    const above = strip;
    for (const [c, column] of columns.entries()) {
      const { data, dims } = await run(cut(image, row, column, spec));
      if (!channels) {
        channels = dims[0] * dims[1];
        strip = new Float32Array(channels * height * width);
        if (above) move(above, strip, scale * (row.start - rows[r - 1].start), width, channels);
      }
      add(data, strip, row, column, { scale, channels, height, width });
      const x = scale * column.start;
      const y = scale * row.start;
      const right = Math.min(limits.x, scale * (columns[c + 1]?.start ?? column.stop));
      const bottom = Math.min(limits.y, scale * (rows[r + 1]?.start ?? row.stop));
      const share = (r * columns.length + c + 1) / (rows.length * columns.length);
      const box = { x, wide: right - x, tall: bottom - y };
      yield { image: crop(strip, box, { channels, height, width }), x, y, share };
    }
  }
}

/** Copies the end of a strip to the begin of the next one. */
function move(above, strip, start, width, channels) {
  const before = above.length / channels;
  const after = strip.length / channels;
  for (let c = 0; c < channels; c++) {
    strip.set(above.subarray(c * before + start * width, (c + 1) * before), c * after);
  }
}

/** Adds the weighted output of a tile to a strip. */
function add(data, strip, row, column, { scale, channels, height, width }) {
  const wide = column.weights.length;
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      const from = (c * height + y) * wide;
      const to = (c * height + y) * width + scale * column.start;
      const weight = row.weights[y];
      for (let x = 0; x < wide; x++) {
        const value = data[from + x];
        if (!Number.isFinite(value)) throw new Error("the model computes values that are not finite");
        strip[to + x] += value * weight * column.weights[x];
      }
    }
  }
}

/** Returns a part of the first rows of a strip, or null if it is empty. */
function crop(strip, { x, wide, tall }, { channels, height, width }) {
  if (wide <= 0 || tall <= 0) return null; // all of it is padding
  const image = new ImageData(wide, tall);
  for (let row = 0; row < tall; row++) {
    for (let column = 0; column < wide; column++) {
      const pixel = 4 * (row * wide + column);
      for (let c = 0; c < COLOURS; c++) {
        const value = strip[((channels === COLOURS ? c : 0) * height + row) * width + x + column];
        image.data[pixel + c] = (value + 1) * 127.5; // ImageData rounds and clamps to [0, 255]
      }
      image.data[pixel + 3] = 255;
    }
  }
  return image;
}
