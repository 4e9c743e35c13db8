// What all suites share: where the server is, and how the model is told what to say.

export const url = process.env.GLMC_URL;
export const slowURL = process.env.GLMC_SLOW_URL;
export const key = process.env.GLMC_KEY;
export const model = "scripted";

if (!url || !slowURL || !key) {
  throw new Error("the suites run beside a server: go run ./testdata/clients/server npm test --prefix testdata/clients");
}

/** A message to which the model replies so. */
export const say = (text) => `<say>${text}</say>`;

/** A conversation in which the model replies so. */
export const told = (text) => [{ role: "user", content: say(text) }];

/** A call as GLM writes it. */
export const call = (name, args) =>
  `<tool_call>${name}\n` +
  Object.entries(args)
    .map(([k, v]) => `<arg_key>${k}</arg_key>\n<arg_value>${typeof v === "string" ? v : JSON.stringify(v)}</arg_value>\n`)
    .join("") +
  `</tool_call>`;

/** The parameters of a function that has one of each type. */
export const parameters = {
  type: "object",
  properties: {
    city: { type: "string" },
    days: { type: "integer" },
    details: { type: "object", properties: { wind: { type: "boolean" } } },
  },
  required: ["city"],
};

/** Many words: a reply that takes a while. */
export const long = (words) => Array.from({ length: words }, (_, i) => `word${i}`).join(" ");

/** The value of a metric, summed over its labels that match. */
export async function metric(at, name, labels = "") {
  const text = await (await fetch(`${at}/metrics`)).text();
  let sum = 0;
  for (const line of text.split("\n")) {
    if (line.startsWith(name) && line.includes(labels) && /[ {]/.test(line[name.length])) {
      sum += Number(line.slice(line.lastIndexOf(" ") + 1));
    }
  }
  return sum;
}

/** Waits until a condition holds and returns how long that took, in ms. */
export async function until(condition, most = 2000) {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > most) throw new Error(`it did not come about in ${most} ms`);
    await new Promise((done) => setTimeout(done, 5));
  }
  return performance.now() - start;
}

/** All that an asynchronous iteration gives. */
export async function all(iteration) {
  const out = [];
  for await (const x of iteration) out.push(x);
  return out;
}

/** The error with which a promise fails. */
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it succeeded, and should have failed");
}

/** The ids of a text's tokens. */
export async function tokenize(prompt) {
  const r = await fetch(`${url}/tokenize`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, prompt }),
  });
  return (await r.json()).tokens;
}
