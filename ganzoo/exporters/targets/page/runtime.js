// Opens the networks of the page with onnxruntime-web.

/** Returns the description of the model. */
export const loadSpec = async () => (await get("model.json")).json();

/**
 * Returns onnxruntime-web and the sessions of networks by name.
 * @param spec the description of the model
 * @param {string[]} names of the ONNX files, without their ending
 */
export async function openNetworks(spec, names) {
  const url = new URL(spec.onnxruntime, import.meta.url).href;
  const checked = (file) => get(`${url}${file}`, { integrity: spec.integrity[file] });
  const script = URL.createObjectURL(await (await checked(spec.script)).blob());
  const ort = await import(script);
  ort.env.wasm.wasmBinary = await (await checked(spec.wasm)).arrayBuffer();
  ort.env.wasm.proxy = true; // in a worker, so that the page answers while an image is computed
  ort.env.wasm.numThreads = 1; // more threads need headers that a plain web server does not send
  const sessions = {};
  for (const name of names) {
    const network = new Uint8Array(await (await get(`${name}.onnx`)).arrayBuffer());
    const options = { executionProviders: ["wasm"] };
    sessions[name] = await ort.InferenceSession.create(network, options);
  }
  return { ort, sessions };
}

async function get(file, options) {
  const response = await fetch(file, options);
  if (!response.ok) throw new Error(`${file}: ${response.status} ${response.statusText}`);
  return response;
}
