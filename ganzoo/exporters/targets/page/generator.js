// Runs a generator with onnxruntime-web: codes in, images out.
//
// A code is the input for one image, { numbers, label }: its latent and class, or for a model with a
// mapping network one w per layer.

import { truncate } from "./codes.js";
import { loadSpec, openNetworks } from "./runtime.js";

export class Generator {
  /** Loads the model that model.json describes. */
  static async load() {
    const spec = await loadSpec();
    const names = spec.styles ? ["mapping", "synthesis"] : ["model"];
    const { ort, sessions } = await openNetworks(spec, names);
    return new Generator(spec, ort, sessions);
  }

  constructor(spec, ort, sessions) {
    Object.assign(this, { spec, ort, sessions });
    this.lastRun = Promise.resolve(); // onnxruntime-web runs one batch at a time
  }

  /**
   * Returns the codes of latents.
   * @param {Float32Array[]} latents
   * @param {number[]} labels one class for each latent, if the model has classes
   * @param {number} psi truncation, for a model with a mapping network
   */
  async codes(latents, labels, psi) {
    const codes = latents.map((numbers, k) => ({ numbers, label: labels[k] }));
    const { styles } = this.spec;
    if (!styles) return codes;
    const { w } = await this.run("mapping", this.latents(codes));
    return rows(w).map((numbers, k) => ({
      numbers: truncate(numbers, styles, psi),
      label: labels[k],
    }));
  }

  /** Yields the images of codes in order, as ImageData. */
  async *images(codes) {
    for (const batch of this.batches(codes)) yield* split(await this.synthesize(batch));
  }

  async synthesize(codes) {
    const { styles } = this.spec;
    if (!styles) return (await this.run("model", this.latents(codes))).images;
    const feeds = { styles: this.tensor(codes, [codes.length, styles.layers, styles.dim]) };
    return (await this.run("synthesis", feeds)).images;
  }

  /** Returns the inputs of a network that reads latents. */
  latents(codes) {
    const feeds = { z: this.tensor(codes, [codes.length, this.spec.latent_dim]) };
    if (this.spec.classes) {
      const labels = BigInt64Array.from(codes, ({ label }) => BigInt(label));
      feeds.y = new this.ort.Tensor("int64", labels, [codes.length]);
    }
    return feeds;
  }

  tensor(codes, shape) {
    const data = new Float32Array(shape.reduce((a, b) => a * b));
    codes.forEach(({ numbers }, k) => data.set(numbers, k * numbers.length));
    return new this.ort.Tensor("float32", data, shape);
  }

  *batches(codes) {
    const { batch } = this.spec;
    for (let k = 0; k < codes.length; k += batch) yield codes.slice(k, k + batch);
  }

  run(name, feeds) {
    this.lastRun = this.lastRun
      .catch(() => {}) // the caller of the previous run handles its error
      .then(() => this.sessions[name].run(feeds));
    return this.lastRun;
  }
}

function rows({ data, dims: [n, width] }) {
  return Array.from({ length: n }, (_, k) => data.slice(k * width, (k + 1) * width));
}

/** Converts numbers in [-1, 1], (n, channels, height, width), to n images. */
function split({ data, dims: [n, channels, height, width] }) {
  const area = height * width;
  return Array.from({ length: n }, (_, k) => {
    const image = new ImageData(width, height);
    for (let p = 0; p < area; p++) {
      for (let c = 0; c < 3; c++) {
        const value = data[(k * channels + (channels === 3 ? c : 0)) * area + p];
        if (!Number.isFinite(value)) throw new Error("the model generates values that are not finite");
        image.data[4 * p + c] = Math.round((value + 1) * 127.5); // ImageData clamps to [0, 255]
      }
      image.data[4 * p + 3] = 255;
    }
    return image;
  });
}
