// A generator under onnxruntime-web: latents and classes in, pictures out.

const BATCH = 16; // images at a time: a picture appears early, and the page stays responsive

export class Generator {
  /** Loads the model that model.json describes. */
  static async load() {
    const spec = await (await get("model.json")).json();
    const place = new URL(spec.onnxruntime, document.baseURI).href;
    const ort = await import(`${place}${spec.script}`);
    ort.env.wasm.wasmPaths = { wasm: `${place}${spec.wasm}` };
    ort.env.wasm.numThreads = 1; // more need headers that a plain web server does not send
    const network = new Uint8Array(await (await get("model.onnx")).arrayBuffer());
    const session = await ort.InferenceSession.create(network, { executionProviders: ["wasm"] });
    return new Generator(spec, ort, session);
  }

  constructor(spec, ort, session) {
    Object.assign(this, { spec, ort, session });
    this.turn = Promise.resolve(); // a session runs one batch at a time
  }

  /**
   * Yields pictures of n latents in turn, as ImageData.
   * @param {Float32Array} z latents, n rows
   * @param {number[]} classes one for each, where the model has classes
   */
  async *pictures(z, classes) {
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
    this.turn = this.turn
      .catch(() => {}) // whoever waited for that batch was told
      .then(() => this.session.run(feeds))
      .then(({ images }) => split(images));
    return this.turn;
  }
}

async function get(file) {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file}: ${response.status} ${response.statusText}`);
  return response;
}

/** Numbers in [-1, 1], (n, channels, height, width) -> n pictures. */
function split({ data, dims: [n, channels, height, width] }) {
  const area = height * width;
  return Array.from({ length: n }, (_, k) => {
    const picture = new ImageData(width, height);
    for (let p = 0; p < area; p++) {
      for (let c = 0; c < 3; c++) {
        const value = data[(k * channels + (channels === 3 ? c : 0)) * area + p];
        picture.data[4 * p + c] = Math.round((value + 1) * 127.5); // which clamps to 0 to 255
      }
      picture.data[4 * p + 3] = 255;
    }
    return picture;
  });
}
