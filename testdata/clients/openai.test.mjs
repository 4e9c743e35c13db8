// Chat completions with npm's openai: text, thinking, streams, choices, log probabilities, stops.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import OpenAI from "openai";
import { all, key, long, model, say, told, tokenize, url } from "./setup.mjs";

const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const chat = (say, more = {}) => client.chat.completions.create({ model, messages: told(say), ...more });
const text = (chunks, choice = 0) =>
  chunks.flatMap((c) => c.choices.filter((x) => x.index === choice).map((x) => x.delta.content ?? "")).join("");
const finishes = (chunks) => chunks.flatMap((c) => c.choices.filter((x) => x.finish_reason).map((x) => x.finish_reason));

describe("openai: chat", { concurrency: true }, () => {
  it("answers", async () => {
    const r = await chat("Hello there.");
    assert.equal(r.object, "chat.completion");
    assert.equal(r.model, model);
    assert.match(r.id, /^chatcmpl-/);
    assert.ok(Math.abs(r.created - Date.now() / 1000) < 60);
    assert.equal(r.choices.length, 1);
    assert.deepEqual({ role: r.choices[0].message.role, content: r.choices[0].message.content }, { role: "assistant", content: "Hello there." });
    assert.equal(r.choices[0].finish_reason, "stop");
  });

  it("counts tokens", async () => {
    const { usage } = await chat("one two three");
    assert.ok(usage.prompt_tokens > 5 && usage.completion_tokens > 2);
    assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  });

  it("streams", async () => {
    const chunks = await all(await chat("Hello there, streamed: äöü 日本 🎈.", { stream: true }));
    assert.equal(chunks[0].choices[0].delta.role, "assistant");
    assert.ok(chunks.every((c) => c.object === "chat.completion.chunk" && c.id === chunks[0].id && c.model === model));
    assert.equal(text(chunks), "Hello there, streamed: äöü 日本 🎈.");
    assert.deepEqual(finishes(chunks), ["stop"]);
    assert.ok(chunks.length > 5, "the text came in one piece");
  });

  it("streams the usage where it is asked for", async () => {
    const chunks = await all(await chat("Hi.", { stream: true, stream_options: { include_usage: true } }));
    const last = chunks.at(-1);
    assert.deepEqual(last.choices, []);
    assert.equal(last.usage.total_tokens, last.usage.prompt_tokens + last.usage.completion_tokens);
    assert.ok(chunks.slice(0, -1).every((c) => !c.usage));
    const without = await all(await chat("Hi.", { stream: true }));
    assert.ok(without.every((c) => !c.usage));
  });

  it("streams what it answers", async () => {
    const whole = await chat("<think>a\nb</think>\nThe answer:\n\n- 1\n- 2");
    const chunks = await all(await chat("<think>a\nb</think>\nThe answer:\n\n- 1\n- 2", { stream: true }));
    assert.equal(text(chunks), whole.choices[0].message.content);
  });

  it("streams through the client's helper", async () => {
    const stream = client.chat.completions.stream({ model, messages: told("Through a helper.") });
    let seen = "";
    stream.on("content", (delta) => (seen += delta));
    const final = await stream.finalChatCompletion();
    assert.equal(seen, "Through a helper.");
    assert.equal(final.choices[0].message.content, "Through a helper.");
    assert.equal(final.choices[0].finish_reason, "stop");
  });

  it("takes conversations with a system message and earlier turns", async () => {
    const r = await client.chat.completions.create({
      model,
      messages: [
        { role: "system", content: "Be short." },
        { role: "user", content: "Hi" },
        { role: "assistant", content: "Hello." },
        { role: "user", content: say("Once more.") },
      ],
    });
    assert.equal(r.choices[0].message.content, "Once more.");
  });

  it("takes developer messages, and content in parts", async () => {
    const r = await client.chat.completions.create({
      model,
      messages: [
        { role: "developer", content: "Be short." },
        { role: "user", content: [{ type: "text", text: "<say>In " }, { type: "text", text: "parts.</say>" }] },
      ],
    });
    assert.match(r.choices[0].message.content, /^In \n?parts\.$/);
  });

  it("tells thinking from the answer", async () => {
    const r = await chat("<think>I should greet.</think>\nHello.");
    assert.equal(r.choices[0].message.content, "Hello.");
    assert.equal(r.choices[0].message.reasoning_content, "I should greet.");
    const reasoning = r.usage.completion_tokens_details.reasoning_tokens;
    assert.ok(reasoning > 2 && reasoning < r.usage.completion_tokens);
  });

  it("streams thinking apart from the answer", async () => {
    const chunks = await all(await chat("<think>I should greet.</think>\nHello.", { stream: true }));
    const thought = chunks.map((c) => c.choices[0]?.delta.reasoning_content ?? "").join("");
    assert.equal(thought, "I should greet.");
    assert.equal(text(chunks), "Hello.");
    const firstText = chunks.findIndex((c) => c.choices[0]?.delta.content);
    const lastThought = chunks.findLastIndex((c) => c.choices[0]?.delta.reasoning_content);
    assert.ok(lastThought < firstText);
  });

  it("does without thinking, by the template's argument and by z.ai's", async () => {
    for (const more of [{ chat_template_kwargs: { enable_thinking: false } }, { thinking: { type: "disabled" } }]) {
      const r = await chat("Hello.", more);
      assert.equal(r.choices[0].message.content, "Hello.");
      assert.ok(!r.choices[0].message.reasoning_content);
    }
  });

  it("takes reasoning back", async () => {
    const r = await client.chat.completions.create({
      model,
      messages: [...told("x"), { role: "assistant", content: "x", reasoning_content: "because" }, ...told("y")],
    });
    assert.equal(r.choices[0].message.content, "y");
  });

  it("gives several choices", async () => {
    const r = await chat("Same.", { n: 3 });
    assert.deepEqual(r.choices.map((c) => [c.index, c.message.content]), [[0, "Same."], [1, "Same."], [2, "Same."]]);
    const one = await chat("Same.");
    assert.equal(r.usage.completion_tokens, 3 * one.usage.completion_tokens);
    assert.equal(r.usage.prompt_tokens, one.usage.prompt_tokens);
  });

  it("streams several choices", async () => {
    const chunks = await all(await chat("Each the same.", { n: 2, stream: true }));
    assert.equal(text(chunks, 0), "Each the same.");
    assert.equal(text(chunks, 1), "Each the same.");
    assert.deepEqual(finishes(chunks), ["stop", "stop"]);
  });

  it("gives log probabilities with alternatives", async () => {
    const r = await chat("Probable äöü 🎈", { logprobs: true, top_logprobs: 3 });
    const { content } = r.choices[0].logprobs;
    assert.ok(content.length > 3);
    for (const t of content) {
      assert.ok(t.logprob <= 0 && t.logprob > -1e-6, `the model is certain, not ${t.logprob}`);
      assert.equal(t.top_logprobs.length, 3);
      assert.equal(t.top_logprobs[0].token, t.token);
      assert.ok(t.top_logprobs[1].logprob < -30);
    }
    const bytes = Buffer.from(content.flatMap((t) => t.bytes ?? []));
    assert.ok(bytes.toString().startsWith("Probable äöü 🎈"), bytes.toString());
  });

  it("streams log probabilities", async () => {
    const said = "Probable and streamed";
    const chunks = await all(await chat(said, { logprobs: true, top_logprobs: 0, stream: true }));
    const tokens = chunks.flatMap((c) => c.choices.flatMap((x) => x.logprobs?.content ?? []));
    assert.ok(tokens.map((t) => t.token).join("").startsWith(said));
    assert.ok(tokens.every((t) => t.top_logprobs.length === 0));
    const whole = await chat(said, { logprobs: true });
    assert.deepEqual(tokens.map((t) => t.token), whole.choices[0].logprobs.content.map((t) => t.token));
    assert.ok(!(await chat(said)).choices[0].logprobs);
  });

  it("stops at a string", async () => {
    const r = await chat("one two three", { stop: " two" });
    assert.equal(r.choices[0].message.content, "one");
    assert.equal(r.choices[0].finish_reason, "stop");
  });

  it("stops at the string that is complete first", async () => {
    const r = await chat("The user is a friend", { stop: ["a", "is", ","] });
    assert.equal(r.choices[0].message.content, "The user ");
  });

  it("streams nothing of a stop string", async () => {
    const chunks = await all(await chat("Answer.\n\nUser: more", { stop: ["\n\nUser:"], stream: true }));
    assert.equal(text(chunks), "Answer.");
    assert.deepEqual(finishes(chunks), ["stop"]);
    const not = await all(await chat("Answer.\n\nUser of it", { stop: ["\n\nUser:"], stream: true }));
    assert.equal(text(not), "Answer.\n\nUser of it");
  });

  it("ends at the limit of tokens", async () => {
    for (const limit of [{ max_tokens: 4 }, { max_completion_tokens: 4 }]) {
      const r = await chat(long(50), limit);
      assert.equal(r.usage.completion_tokens, 4);
      assert.equal(r.choices[0].finish_reason, "length");
    }
    const chunks = await all(await chat(long(50), { max_tokens: 4, stream: true }));
    assert.deepEqual(finishes(chunks), ["length"]);
  });

  it("takes all parameters of sampling", async () => {
    const r = await chat("Sampled.", {
      temperature: 0.7, top_p: 0.9, presence_penalty: 0.5, frequency_penalty: 0.5, seed: 7, user: "somebody",
      top_k: 40, min_p: 0.01, repetition_penalty: 1.05,
    });
    assert.equal(r.choices[0].message.content, "Sampled.");
  });

  it("gives the same text for the same seed", async () => {
    // The bias makes some tokens as probable as the one that the model is told to say.
    const letters = await Promise.all(["a", "b", "c", "d", "e", "f"].map(async (letter) => (await tokenize(letter))[0]));
    const logit_bias = Object.fromEntries(letters.map((id) => [id, 60]));
    const random = async (seed) => (await chat("?", { temperature: 1, seed, max_tokens: 16, logit_bias })).choices[0].message.content;
    const [a, again, b] = [await random(5), await random(5), await random(6)];
    assert.equal(a, again);
    assert.notEqual(a, b);
    assert.match(a, /^[a-f]+$/);
  });

  it("obeys logit_bias", async () => {
    const [yes] = await tokenize(" yes");
    const biased = await chat("No.", { logit_bias: { [yes]: 100 }, max_tokens: 3 });
    assert.equal(biased.usage.completion_tokens, 3);
    assert.notEqual(biased.choices[0].message.content, "No.");
    const text = biased.choices[0].message.content;
    assert.equal(text.length % 3, 0);
    assert.equal(text.slice(0, text.length / 3).repeat(3), text);
  });

  it("answers many requests at once", async () => {
    const replies = await Promise.all(Array.from({ length: 40 }, (_, i) => chat(`Number ${i}.`)));
    assert.deepEqual(replies.map((r) => r.choices[0].message.content), Array.from({ length: 40 }, (_, i) => `Number ${i}.`));
  });
});
