// Runs a generator with onnxruntime-web: latents and classes in, images out.

const BATCH = 16; // images per run: small, so that the first image appears early

export class Generator {
  /** Loads the model that model.json describes. */
  static async load() {
    const spec = await (await get("model.json")).json();
    const url = new URL(spec.onnxruntime, document.baseURI).href;
    const ort = await import(`${url}${spec.script}`);
    ort.env.wasm.wasmPaths = { wasm: `${url}${spec.wasm}` };
    ort.env.wasm.numThreads = 1; // more threads need headers that a plain web server does not send
    const network = new Uint8Array(await (await get("model.onnx")).arrayBuffer());
    const session = await ort.InferenceSession.create(network, { executionProviders: ["wasm"] });
    return new Generator(spec, ort, session);
  }

  constructor(spec, ort, session) {
    Object.assign(this, { spec, ort, session });
    this.lastRun = Promise.resolve(); // a session runs one batch at a time
  }

  /**
   * Yields the images of n latents in order, as ImageData.
   * @param {Float32Array} z latents, n rows
   * @param {number[]} classes one class for each latent, if the model has classes
   */
  async *images(z, classes) {
    const dim = this.spec.latent_dim;
    for (let k = 0; k < z.length / dim; k += BATCH) {
      const rows = z.slice(k * dim, (k + BATCH) * dim);
      yield* await this.run(rows, classes.slice(k, k + BATCH));
    }
  }

  run(z, classes) {
    const { ort, spec } = this;
    const feeds = { z: new ort.Tensor("float32", z, [z.length / spec.latent_dim, spec.latent_dim]) };
    if (spec.classes) {
      feeds.y = new ort.Tensor("int64", BigInt64Array.from(classes, BigInt), [classes.length]);
    }
    this.lastRun = this.lastRun
      .catch(() => {}) // the caller of the previous run handles its error
      .then(() => this.session.run(feeds))
      .then(({ images }) => split(images));
    return this.lastRun;
  }
}

async function get(file) {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file}: ${response.status} ${response.statusText}`);
  return response;
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
