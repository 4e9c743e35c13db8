// With npm's openai: errors, cancellation, headers, models, text completions, responses.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import OpenAI from "openai";
import { all, slowURL, call, failure, key, long, metric, model, parameters, say, told, tokenize, until, url } from "./setup.mjs";

const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const chat = (say, more = {}, options) => client.chat.completions.create({ model, messages: told(say), ...more }, options);

describe("openai: errors", { concurrency: true }, () => {
  it("wants a key", async () => {
    for (const apiKey of ["wrong-key-0123456789", " "]) {
      const e = await failure(new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 }).models.list());
      assert.ok(e instanceof OpenAI.AuthenticationError, String(e));
      assert.equal(e.status, 401);
    }
  });

  it("refuses values of the wrong type, by name", async () => {
    const e = await failure(chat("x", { temperature: "hot" }));
    assert.ok(e instanceof OpenAI.BadRequestError);
    assert.equal(e.type, "invalid_request_error");
    assert.equal(e.param, "temperature");
    assert.match(e.message, /temperature/);
  });

  it("refuses values out of range, by name", async () => {
    for (const [param, value] of [["temperature", -1], ["top_p", 2], ["n", 0], ["max_tokens", -1], ["presence_penalty", 3], ["top_logprobs", 99]]) {
      const e = await failure(chat("x", { logprobs: true, [param]: value }));
      assert.ok(e instanceof OpenAI.BadRequestError, `${param}: ${e}`);
      assert.match(e.message, new RegExp(param));
    }
  });

  it("refuses requests without messages", async () => {
    const e = await failure(client.chat.completions.create({ model, messages: [] }));
    assert.ok(e instanceof OpenAI.BadRequestError);
    assert.match(e.param, /^messages/);
  });

  it("refuses roles that it does not know", async () => {
    const e = await failure(client.chat.completions.create({ model, messages: [{ role: "wizard", content: "x" }] }));
    assert.ok(e instanceof OpenAI.BadRequestError);
    assert.match(e.param, /messages/);
  });

  it("refuses images", async () => {
    const content = [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }];
    assert.ok((await failure(client.chat.completions.create({ model, messages: [{ role: "user", content }] }))) instanceof OpenAI.BadRequestError);
  });

  it("refuses prompts that are too long", async () => {
    const e = await failure(client.chat.completions.create({ model, messages: [{ role: "user", content: long(30000) }] }));
    assert.ok(e instanceof OpenAI.BadRequestError, String(e));
    assert.equal(e.code, "context_length_exceeded");
    assert.match(e.message, /16384/);
  });

  it("refuses bodies that are too large", async () => {
    const e = await failure(client.chat.completions.create({ model, messages: [{ role: "user", content: "x".repeat(5 << 20) }] }));
    assert.equal(e.status, 413);
  });

  it("knows no other models", async () => {
    const other = "gpt-99";
    for (const ask of [() => chat("x", { model: other }), () => client.models.retrieve(other), () => client.completions.create({ model: other, prompt: "x" })]) {
      const e = await failure(ask());
      assert.ok(e instanceof OpenAI.NotFoundError, String(e));
      assert.equal(e.code, "model_not_found");
    }
  });

  it("knows no other paths", async () => {
    const e = await failure(client.embeddings.create({ model, input: "x" }));
    assert.ok(e instanceof OpenAI.NotFoundError, String(e));
  });

  it("refuses bodies that are not JSON", async () => {
    for (const body of ["{", "[]", "null", '{"model": "scripted", "model": 1}', "\x00"]) {
      const r = await fetch(`${url}/v1/chat/completions`, { method: "POST", body, headers: { authorization: `Bearer ${key}`, "content-type": "application/json" } });
      assert.equal(r.status, 400, body);
      assert.match(r.headers.get("content-type"), /^application\/json/);
      assert.equal((await r.json()).error.type, "invalid_request_error");
    }
  });

  it("says when it is busy, and the client's retries succeed", async () => {
    const busy = new OpenAI({ apiKey: key, baseURL: `${slowURL}/v1`, maxRetries: 0 });
    const end = new AbortController();
    const slow = () => busy.chat.completions.create({ model, messages: told(long(400)) }, { signal: end.signal }).catch((e) => e);
    const running = [];
    while (running.length < 8) {
      running.push(slow());
      await until(async () => (await metric(slowURL, "glmc_http_requests_in_flight")) === running.length);
    }
    const e = await failure(busy.chat.completions.create({ model, messages: told("x") }));
    assert.ok(e instanceof OpenAI.RateLimitError, String(e));
    assert.ok(Number(e.headers.get("retry-after")) >= 1);
    const retried = busy.chat.completions.create({ model, messages: told("At last.") }, { maxRetries: 5 });
    setTimeout(() => end.abort(), 100);
    assert.equal((await retried).choices[0].message.content, "At last.");
    await Promise.all(running);
  });
});

describe("openai: cancellation", { concurrency: 1 }, () => {
  const slow = new OpenAI({ apiKey: key, baseURL: `${slowURL}/v1`, maxRetries: 0 });
  const chat = (more, options) => slow.chat.completions.create({ model, messages: told(long(400)), ...more }, options);
  const aborted = () => metric(slowURL, "vllm:request_success_total", 'finished_reason="abort"');

  /** Leaves requests until the server ended one of them within 100 ms: on a machine with other work, one may take longer. */
  async function leavesSoon(t, leave) {
    const times = [];
    for (let i = 0; i < 10 && !times.some((took) => took < 100); i++) {
      const before = await aborted();
      await leave();
      times.push(await until(async () => (await aborted()) === before + 1));
    }
    t.diagnostic(`it took ${times.map(Math.round)} ms`);
    assert.ok(times.some((took) => took < 100), `it took ${times} ms`);
  }

  it("ends a stream that the client leaves, within 100 ms", (t) =>
    leavesSoon(t, async () => {
      const stream = await chat({ stream: true });
      for await (const chunk of stream) {
        if (chunk.choices[0]?.delta.content) break; // which aborts
      }
    }));

  it("ends a request that the client aborts, within 100 ms", (t) =>
    leavesSoon(t, async () => {
      const end = new AbortController();
      const request = failure(chat({}, { signal: end.signal }));
      await new Promise((done) => setTimeout(done, 100));
      end.abort();
      assert.ok((await request) instanceof OpenAI.APIUserAbortError);
    }));

  it("ends a request that the client has no more time for", async () => {
    const before = await aborted();
    const e = await failure(chat({}, { timeout: 100 }));
    assert.ok(e instanceof OpenAI.APIConnectionTimeoutError, String(e));
    await until(async () => (await aborted()) === before + 1);
  });

  it("ends all choices of a request", async () => {
    const stream = await chat({ stream: true, n: 4 });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    const steps = () => metric(slowURL, "glmc_step_sequences_count");
    await until(async () => {
      const before = await steps();
      await new Promise((done) => setTimeout(done, 50));
      return (await steps()) === before;
    });
  });
});

describe("openai: headers and usage", { concurrency: true }, () => {
  it("names requests", async () => {
    const { data, response, request_id } = await chat("x").withResponse();
    assert.ok(request_id);
    assert.equal(response.headers.get("x-request-id"), request_id);
    assert.equal(data._request_id, request_id);
    assert.match(response.headers.get("content-type"), /^application\/json/);
    const named = await chat("x", {}, { headers: { "x-request-id": "mine-42" } }).withResponse();
    assert.equal(named.request_id, "mine-42");
  });

  it("streams as event streams", async () => {
    const { response, data } = await chat("x", { stream: true }).withResponse();
    assert.match(response.headers.get("content-type"), /^text\/event-stream/);
    await all(data);
  });

  it("counts tokens that came from the prefix cache", async () => {
    const messages = [{ role: "system", content: long(200) }, ...told("Cached.")];
    const first = await client.chat.completions.create({ model, messages });
    const second = await client.chat.completions.create({ model, messages });
    const cached = second.usage.prompt_tokens_details.cached_tokens;
    assert.ok(cached > 0 && cached < second.usage.prompt_tokens);
    assert.equal(first.usage.prompt_tokens, second.usage.prompt_tokens);
  });

  it("lists its model", async () => {
    const models = await all(client.models.list());
    assert.deepEqual(models.map((m) => [m.id, m.object]), [[model, "model"]]);
    assert.equal((await client.models.retrieve(model)).id, model);
  });
});

describe("openai: text completions", { concurrency: true }, () => {
  const complete = (prompt, more = {}) => client.completions.create({ model, prompt, ...more });

  it("continues text", async () => {
    const r = await complete(say("and so on"));
    assert.equal(r.object, "text_completion");
    assert.equal(r.choices[0].text, "and so on");
    assert.equal(r.choices[0].finish_reason, "stop");
  });

  it("streams", async () => {
    const chunks = await all(await complete(say("and so on, streamed"), { stream: true }));
    assert.equal(chunks.map((c) => c.choices[0]?.text ?? "").join(""), "and so on, streamed");
  });

  it("continues several prompts", async () => {
    const r = await complete([say("one"), say("two")], { n: 2 });
    assert.deepEqual(r.choices.map((c) => [c.index, c.text]), [[0, "one"], [1, "one"], [2, "two"], [3, "two"]]);
  });

  it("continues token ids", async () => {
    assert.equal((await complete(await tokenize(say("by ids")))).choices[0].text, "by ids");
  });

  it("echoes, and has log probabilities of the prompt", async () => {
    const prompt = `A prompt. ${say("More.")}`;
    const r = await complete(prompt, { echo: true, logprobs: 2, max_tokens: 3 });
    assert.ok(r.choices[0].text.startsWith(prompt));
    const { tokens, token_logprobs, top_logprobs, text_offset } = r.choices[0].logprobs;
    assert.equal(tokens.length, token_logprobs.length);
    assert.equal(tokens.length, r.usage.total_tokens);
    assert.equal(token_logprobs[0], null);
    assert.ok(Object.keys(top_logprobs[3]).length >= 2);
    assert.equal(text_offset[0], 0);
    assert.ok(text_offset.every((o, i) => i === 0 || o >= text_offset[i - 1]));
  });

  it("stops", async () => {
    const r = await complete(say("one two three"), { stop: ["two"] });
    assert.equal(r.choices[0].text, "one ");
  });
});

describe("openai: responses", { concurrency: true }, () => {
  const tools = [{ type: "function", name: "get_weather", parameters, strict: false }];

  it("answers", async () => {
    const r = await client.responses.create({ model, input: say("Hello.") });
    assert.equal(r.status, "completed");
    assert.equal(r.output_text, "Hello.");
    assert.equal(r.usage.total_tokens, r.usage.input_tokens + r.usage.output_tokens);
  });

  it("takes instructions and earlier turns", async () => {
    const r = await client.responses.create({
      model, instructions: "Be short.",
      input: [{ role: "user", content: "Hi" }, { role: "assistant", content: "Hello." }, { role: "user", content: [{ type: "input_text", text: say("Again.") }] }],
    });
    assert.equal(r.output_text, "Again.");
  });

  it("tells reasoning from text", async () => {
    const r = await client.responses.create({ model, input: say("<think>I see.</think>\nYes.") });
    assert.deepEqual(r.output.map((o) => o.type), ["reasoning", "message"]);
    assert.equal(r.output_text, "Yes.");
    assert.ok(r.usage.output_tokens_details.reasoning_tokens > 0);
  });

  it("streams", async () => {
    const events = await all(await client.responses.create({ model, input: say("<think>I see.</think>\nYes, streamed."), stream: true }));
    assert.equal(events[0].type, "response.created");
    assert.equal(events.at(-1).type, "response.completed");
    assert.deepEqual(events.map((e) => e.sequence_number), events.map((_, i) => i));
    assert.equal(events.filter((e) => e.type === "response.output_text.delta").map((e) => e.delta).join(""), "Yes, streamed.");
  });

  it("streams through the client's helper", async () => {
    const stream = client.responses.stream({ model, input: say("Through a helper.") });
    assert.equal((await stream.finalResponse()).output_text, "Through a helper.");
  });

  it("calls tools, and takes their results", async () => {
    const first = await client.responses.create({ model, tools, input: say(call("get_weather", { city: "Oslo", days: 2 })) });
    const item = first.output.find((o) => o.type === "function_call");
    assert.equal(item.name, "get_weather");
    assert.deepEqual(JSON.parse(item.arguments), { city: "Oslo", days: 2 });
    const second = await client.responses.create({
      model, tools,
      input: [{ role: "user", content: "Weather?" }, ...first.output, { type: "function_call_output", call_id: item.call_id, output: say("It rains.") }],
    });
    assert.equal(second.output_text, "It rains.");
  });

  it("streams calls", async () => {
    const events = await all(await client.responses.create({ model, tools, input: say(call("get_weather", { city: "Oslo" })), stream: true }));
    const args = events.filter((e) => e.type === "response.function_call_arguments.delta").map((e) => e.delta).join("");
    assert.deepEqual(JSON.parse(args), { city: "Oslo" });
    assert.ok(events.some((e) => e.type === "response.function_call_arguments.done"));
  });

  it("gives JSON by a schema", async () => {
    const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"], additionalProperties: false };
    const r = await client.responses.create({ model, input: say('{"ok": true}'), text: { format: { type: "json_schema", name: "ok", schema, strict: true } } });
    assert.deepEqual(JSON.parse(r.output_text), { ok: true });
  });

  it("says when a limit ended it", async () => {
    const r = await client.responses.create({ model, input: say(long(50)), max_output_tokens: 5 });
    assert.equal(r.status, "incomplete");
    assert.equal(r.incomplete_details.reason, "max_output_tokens");
  });

  it("refuses what it does not keep", async () => {
    const e = await failure(client.responses.create({ model, input: "x", previous_response_id: "resp_123" }));
    assert.ok(e instanceof OpenAI.APIError && e.status >= 400 && e.status < 500, String(e));
  });
});
