// Runs the network in a thread of its own, so that the page responds meanwhile.

import { loadSpec, openNetworks } from "./runtime.js";

let opened;

/** Returns the reply to a message: the model's description, or the images of a condition. */
async function reply({ condition, dims }) {
  opened ??= loadSpec().then(async (spec) => ({ spec, ...(await openNetworks(spec, ["model"])) }));
  const { spec, ort, sessions } = await opened;
  if (!condition) return { spec };
  const feeds = { condition: new ort.Tensor("float32", condition, dims) };
  const { images } = await sessions.model.run(feeds);
  return { data: images.data, dims: images.dims };
}

self.onmessage = async ({ data }) => {
  try {
    self.postMessage(await reply(data));
  } catch (error) {
    self.postMessage({ error: error.message ?? String(error) });
  }
};
