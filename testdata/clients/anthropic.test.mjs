// Messages with npm's @anthropic-ai/sdk.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { all, slowURL, call, failure, key, long, metric, model, parameters, say, told, until, url } from "./setup.mjs";

const client = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });
const ask = (said, more = {}, options) => client.messages.create({ model, max_tokens: 1000, messages: told(said), ...more }, options);
const tools = [{ name: "get_weather", description: "The weather of a city", input_schema: parameters }];
const types = (message) => message.content.map((b) => b.type);

describe("anthropic: messages", { concurrency: true }, () => {
  it("answers", async () => {
    const r = await ask("Hello there.");
    assert.match(r.id, /^msg_/);
    assert.deepEqual({ type: r.type, role: r.role, model: r.model }, { type: "message", role: "assistant", model });
    assert.deepEqual(r.content.map((b) => [b.type, b.text]), [["text", "Hello there."]]);
    assert.deepEqual([r.stop_reason, r.stop_sequence], ["end_turn", null]);
    assert.ok(r.usage.input_tokens > 5 && r.usage.output_tokens > 2);
  });

  it("takes a system prompt, as text and in blocks", async () => {
    for (const system of ["Be short.", [{ type: "text", text: "Be short.", cache_control: { type: "ephemeral" } }]]) {
      assert.equal((await ask("Short.", { system })).content[0].text, "Short.");
    }
  });

  it("takes earlier turns, and content in blocks", async () => {
    const r = await client.messages.create({
      model, max_tokens: 100,
      messages: [{ role: "user", content: "Hi" }, { role: "assistant", content: [{ type: "text", text: "Hello." }] }, { role: "user", content: [{ type: "text", text: say("Again.") }] }],
    });
    assert.equal(r.content[0].text, "Again.");
  });

  it("streams", async () => {
    const events = await all(await ask("Hello there, streamed.", { stream: true }));
    const kinds = events.map((e) => e.type).filter((t, i, list) => t !== list[i - 1] && t !== "ping");
    assert.deepEqual(kinds, ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]);
    assert.equal(events.filter((e) => e.type === "content_block_delta").map((e) => e.delta.text).join(""), "Hello there, streamed.");
    assert.ok(events.find((e) => e.type === "message_start").message.usage.input_tokens > 0);
    const end = events.find((e) => e.type === "message_delta");
    assert.equal(end.delta.stop_reason, "end_turn");
    assert.ok(end.usage.output_tokens > 2);
  });

  it("streams through the client's helper", async () => {
    const stream = client.messages.stream({ model, max_tokens: 100, messages: told("Through a helper.") });
    let seen = "";
    stream.on("text", (delta) => (seen += delta));
    const final = await stream.finalMessage();
    assert.equal(seen, "Through a helper.");
    assert.equal(final.content[0].text, "Through a helper.");
    assert.equal(final.stop_reason, "end_turn");
  });

  it("thinks in a block of its own", async () => {
    const r = await ask("<think>I should greet.</think>\nHello.", { thinking: { type: "enabled", budget_tokens: 1024 }, max_tokens: 2000 });
    assert.deepEqual(types(r), ["thinking", "text"]);
    assert.equal(r.content[0].thinking, "I should greet.");
    assert.equal(typeof r.content[0].signature, "string");
    assert.equal(r.content[1].text, "Hello.");
  });

  it("streams thinking", async () => {
    const stream = client.messages.stream({ model, max_tokens: 2000, thinking: { type: "enabled", budget_tokens: 1024 }, messages: told("<think>I should greet.</think>\nHello.") });
    let thought = "";
    stream.on("thinking", (delta) => (thought += delta));
    const final = await stream.finalMessage();
    assert.equal(thought, "I should greet.");
    assert.deepEqual(types(final), ["thinking", "text"]);
  });

  it("takes thinking back", async () => {
    const thinking = { type: "enabled", budget_tokens: 1024 };
    const first = await ask(`<think>I need it.</think>\n${call("get_weather", { city: "Oslo" })}`, { thinking, tools, max_tokens: 2000 });
    assert.deepEqual(types(first), ["thinking", "tool_use"]);
    const r = await client.messages.create({
      model, max_tokens: 2000, thinking, tools,
      messages: [...told("x"), { role: "assistant", content: first.content }, { role: "user", content: [{ type: "tool_result", tool_use_id: first.content[1].id, content: say("Rain.") }] }],
    });
    assert.equal(r.content[0].text, "Rain.");
  });

  it("stops at a sequence, and names it", async () => {
    const r = await ask("one two three", { stop_sequences: ["three", " two"] });
    assert.equal(r.content[0].text, "one");
    assert.deepEqual([r.stop_reason, r.stop_sequence], ["stop_sequence", " two"]);
  });

  it("ends at the limit of tokens", async () => {
    const r = await ask(long(50), { max_tokens: 5 });
    assert.equal(r.stop_reason, "max_tokens");
    assert.equal(r.usage.output_tokens, 5);
  });

  it("takes parameters of sampling and fields of others", async () => {
    const r = await ask("Sampled.", { temperature: 0.5, top_p: 0.9, top_k: 40, metadata: { user_id: "somebody" }, service_tier: "auto" });
    assert.equal(r.content[0].text, "Sampled.");
  });

  it("counts tokens as it uses them", async () => {
    const request = { model, system: "Be short.", messages: told("Counted."), tools };
    const { input_tokens } = await client.messages.countTokens(request);
    const { usage } = await client.messages.create({ ...request, max_tokens: 100 });
    assert.equal(usage.input_tokens + (usage.cache_read_input_tokens ?? 0), input_tokens);
  });

  it("counts tokens that came from the prefix cache", async () => {
    const request = () => ask("Cached.", { system: `Cached by Anthropic's client. ${long(200)}` });
    const first = await request();
    const second = await request();
    assert.ok(second.usage.cache_read_input_tokens > 0);
    assert.equal(first.usage.input_tokens + first.usage.cache_read_input_tokens, second.usage.input_tokens + second.usage.cache_read_input_tokens);
  });
});

describe("anthropic: tools", { concurrency: true }, () => {
  it("calls a tool", async () => {
    const r = await ask(`Let me look.\n${call("get_weather", { city: "Oslo", days: 3 })}`, { tools });
    assert.deepEqual(types(r), ["text", "tool_use"]);
    assert.equal(r.stop_reason, "tool_use");
    assert.equal(r.content[1].name, "get_weather");
    assert.deepEqual(r.content[1].input, { city: "Oslo", days: 3 });
    assert.ok(r.content[1].id);
  });

  it("calls several tools", async () => {
    const r = await ask(`${call("get_weather", { city: "Oslo" })}\n${call("get_weather", { city: "Rome" })}`, { tools });
    const calls = r.content.filter((b) => b.type === "tool_use");
    assert.deepEqual(calls.map((c) => c.input.city), ["Oslo", "Rome"]);
    assert.equal(new Set(calls.map((c) => c.id)).size, 2);
  });

  it("streams calls", async () => {
    const events = await all(await ask(`Both:\n${call("get_weather", { city: "Oslo", details: { wind: true } })}${call("get_weather", { city: "Rome" })}`, { tools, stream: true }));
    const blocks = [];
    for (const e of events) {
      if (e.type === "content_block_start") blocks[e.index] = { ...e.content_block, json: "" };
      if (e.type === "content_block_delta" && e.delta.type === "input_json_delta") blocks[e.index].json += e.delta.partial_json;
    }
    const calls = blocks.filter((b) => b.type === "tool_use");
    assert.deepEqual(calls.map((c) => JSON.parse(c.json)), [{ city: "Oslo", details: { wind: true } }, { city: "Rome" }]);
    assert.equal(events.find((e) => e.type === "message_delta").delta.stop_reason, "tool_use");
  });

  it("streams calls through the client's helper", async () => {
    const final = await client.messages.stream({ model, max_tokens: 500, messages: told(call("get_weather", { city: "Oslo" })), tools }).finalMessage();
    assert.deepEqual(final.content.find((b) => b.type === "tool_use").input, { city: "Oslo" });
  });

  it("takes results of tools", async () => {
    const first = await ask(call("get_weather", { city: "Oslo" }), { tools });
    const use = first.content.find((b) => b.type === "tool_use");
    for (const result of [{ content: say("Rain.") }, { content: [{ type: "text", text: say("Rain.") }] }, { content: say("Rain."), is_error: true }]) {
      const r = await client.messages.create({
        model, max_tokens: 100, tools,
        messages: [...told("Weather?"), { role: "assistant", content: first.content }, { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, ...result }] }],
      });
      assert.equal(r.content[0].text, "Rain.");
    }
  });

  it("takes part in the client's loop of tools", async () => {
    const asked = [];
    const runner = client.beta.messages.toolRunner({
      model, max_tokens: 500, messages: told(call("get_weather", { city: "Oslo" })),
      tools: [{ name: "get_weather", input_schema: parameters, parse: (x) => x, run: (input) => { asked.push(input); return say("Rain."); } }],
    });
    const final = await runner;
    assert.equal(final.content[0].text, "Rain.");
    assert.deepEqual(asked, [{ city: "Oslo" }]);
  });

  it("has to call where tool_choice says so", async () => {
    for (const choice of [{ type: "any" }, { type: "tool", name: "now" }]) {
      const tool_choice = { ...choice, disable_parallel_tool_use: true };
      const r = await ask("I would rather talk.", { tools: [{ name: "now", input_schema: { type: "object", properties: {} } }], tool_choice, temperature: 0, thinking: { type: "disabled" } });
      assert.equal(r.stop_reason, "tool_use");
      assert.equal(r.content.find((b) => b.type === "tool_use").name, "now");
    }
  });

  it("calls nothing where tool_choice is none", async () => {
    const r = await ask("I could call.", { tools, tool_choice: { type: "none" } });
    assert.deepEqual(types(r), ["text"]);
  });
});

describe("anthropic: a slow server", { concurrency: 1 }, () => {
  const slow = new Anthropic({ apiKey: key, baseURL: slowURL, maxRetries: 0 });

  it("says when it is busy", async () => {
    const end = new AbortController();
    const refused = [];
    const running = Array.from({ length: 12 }, () =>
      slow.messages.create({ model, max_tokens: 2000, messages: told(long(400)) }, { signal: end.signal }).catch((e) => end.signal.aborted || refused.push(e)));
    await until(() => refused.length >= 4);
    end.abort();
    await Promise.all(running);
    for (const e of refused) {
      assert.ok(e instanceof Anthropic.RateLimitError, String(e));
      assert.equal(e.error.error.type, "rate_limit_error");
      assert.ok(Number(e.headers.get("retry-after")) >= 1);
    }
  });

  it("ends a stream that the client leaves", async () => {
    const stream = slow.messages.stream({ model, max_tokens: 2000, messages: told(long(400)) }, { maxRetries: 5 }); // the last test may just end
    for await (const e of stream) if (e.type === "content_block_delta") break;
    await until(async () => (await metric(slowURL, "glmc_http_requests_in_flight")) === 0);
  });
});

describe("anthropic: errors and headers", { concurrency: true }, () => {
  it("wants a key, in either header", async () => {
    const e = await failure(new Anthropic({ apiKey: "wrong-key-0123456789", baseURL: url, maxRetries: 0 }).messages.create({ model, max_tokens: 5, messages: told("x") }));
    assert.ok(e instanceof Anthropic.AuthenticationError, String(e));
    assert.equal(e.error.error.type, "authentication_error");
    const bearer = new Anthropic({ apiKey: null, authToken: key, baseURL: url, maxRetries: 0 });
    assert.equal((await bearer.messages.create({ model, max_tokens: 50, messages: told("In.") })).content[0].text, "In.");
  });

  it("refuses what is wrong, by name", async () => {
    for (const [more, name] of [[{ temperature: "hot" }, /temperature/], [{ max_tokens: 0 }, /max_tokens/], [{ messages: [] }, /messages/], [{ stop_sequences: [""] }, /stop/]]) {
      const e = await failure(ask("x", more));
      assert.ok(e instanceof Anthropic.BadRequestError, String(e));
      assert.equal(e.error.type, "error");
      assert.equal(e.error.error.type, "invalid_request_error");
      assert.match(e.error.error.message, name);
    }
  });

  it("wants max_tokens", async () => {
    const e = await failure(client.messages.create({ model, messages: told("x") }));
    assert.ok(e instanceof Anthropic.BadRequestError, String(e));
  });

  it("refuses images and prompts that are too long", async () => {
    const image = [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }];
    for (const content of [image, long(30000)]) {
      const e = await failure(client.messages.create({ model, max_tokens: 5, messages: [{ role: "user", content }] }));
      assert.ok(e instanceof Anthropic.BadRequestError, String(e));
    }
  });

  it("knows no other models", async () => {
    const e = await failure(ask("x", { model: "gpt-99" }));
    assert.ok(e instanceof Anthropic.NotFoundError, String(e));
    assert.equal(e.error.error.type, "not_found_error");
    assert.equal((await ask("It is me.", { model: "claude-sonnet-4-5" })).content[0].text, "It is me."); // agents have these names built in
  });

  it("names requests", async () => {
    const { data, response, request_id } = await ask("x").withResponse();
    assert.ok(request_id);
    assert.equal(data._request_id, request_id);
    assert.equal(response.headers.get("request-id"), request_id);
    for (const other of [client, new Anthropic({ apiKey: "sk-not-this-one", baseURL: url, maxRetries: 0 })]) {
      const e = await failure(other.messages.create({ model: "gpt-99", max_tokens: 5, messages: told("x") }));
      assert.ok(e.requestID, String(e));
    }
  });

  it("lists models", async () => {
    const models = await all(client.models.list());
    assert.deepEqual(models.map((m) => [m.id, m.type, m.display_name]), [[model, "model", model]]);
    const one = await client.models.retrieve(model);
    assert.equal(one.id, model);
    assert.ok(!Number.isNaN(Date.parse(one.created_at)), one.created_at);
  });

  it("takes any version and beta of the interface", async () => {
    const r = await client.beta.messages.create({ model, max_tokens: 50, messages: told("Beta."), betas: ["interleaved-thinking-2025-05-14"] }, { headers: { "anthropic-version": "2024-10-22" } });
    assert.equal(r.content[0].text, "Beta.");
  });
});
