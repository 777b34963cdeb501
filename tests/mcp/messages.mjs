// Messages to /mcp, and the proof that what comes back is what the revision's schema says. The
// schemas are the specification's own, cut to what is needed (schemas/cut.mjs).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import { SECRET_KEYS, useWorker } from "../support/harness.mjs";
import { useReceiver, webhookSecret } from "../support/receiver.mjs";
import {
  ERROR_RESPONSES,
  ERRORS,
  LEGACY,
  MODERN,
  RESULTS,
  TASK_RESULTS,
} from "./schemas/types.mjs";

export { LEGACY, MODERN };

export const AGENT_KEY = "agent_key_0123456789abcdefgh";
/** Of the environment `prod`. */
export const OTHER_AGENT_KEY = "agent_key_of_production_0123";
export const TASKS = { extensions: { "io.modelcontextprotocol/tasks": {} } };

/** A Worker that takes questions of agents, and who is told of them. */
export async function useAgents(settings = {}) {
  const receiver = await useReceiver();
  const secrets = {
    SECRET_KEYS,
    AGENT_KEYS: `${AGENT_KEY}\nprod=${OTHER_AGENT_KEY}`,
    AGENT_LINKS: "on",
    WEBHOOK_SECRET: webhookSecret(),
    ...settings,
  };
  const worker = useWorker({ secrets });
  const notify = [{ webhook: `${receiver.url}/asked` }];
  /** What the person was told of the question with this title: the token as they get it. */
  const told = async (title) => {
    const [{ body }] = await receiver.received("/asked", 1, title);
    return JSON.parse(body).data;
  };
  return { worker, receiver, notify, told };
}

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
for (const name of [MODERN, LEGACY, "ext-tasks"]) {
  const text = readFileSync(new URL(`schemas/${name}.json`, import.meta.url), "utf8");
  const { $id, ...schema } = JSON.parse(text);
  ajv.addSchema(schema, name);
}

function fits(schema, type, value) {
  const validate = ajv.getSchema(`${schema}#/$defs/${type}`);
  assert.ok(validate, `${schema} has the type ${type}`);
  if (validate(value)) return;
  const text = JSON.stringify(value).slice(0, 2_000);
  assert.deepEqual(validate.errors, [], `${text} is no ${type} of ${schema}`);
}

/** Checks one message of the server, in answer to a request with this method. */
export function checkMessage(revision, method, message) {
  fits(revision, "JSONRPCMessage", message);
  if (message.method !== undefined) {
    assert.equal(message.method, "notifications/progress");
    return fits(revision, "ProgressNotification", message);
  }
  if (message.error) {
    fits(revision, "JSONRPCErrorResponse", message);
    if (revision !== MODERN) return;
    const { code } = message.error;
    if (code in ERROR_RESPONSES) return fits(MODERN, ERROR_RESPONSES[code], message);
    assert.ok(code in ERRORS, `the specification has the error ${code}`);
    return fits(MODERN, ERRORS[code], message.error);
  }
  fits(revision, "JSONRPCResultResponse", message);
  const { result } = message;
  if (method in TASK_RESULTS) return fits("ext-tasks", TASK_RESULTS[method], result);
  if (result.resultType === "task") return fits("ext-tasks", "CreateTaskResult", result);
  assert.ok(RESULTS[method]?.[revision], `${method} has a result in ${revision}`);
  fits(revision, RESULTS[method][revision], result);
}

/** The messages in the text of a response, by its type. */
export function messagesOf(text, type) {
  if (!type?.startsWith("text/event-stream")) return text === "" ? [] : [JSON.parse(text)];
  const data = text.split("\n").filter((line) => line.startsWith("data: "));
  return data.map((line) => JSON.parse(line.slice(6)));
}

/**
 * A fetch for the official clients that checks each message of the server, and keeps its text in
 * `texts`.
 */
export function checkedFetch(revision, texts = []) {
  const checks = [];
  const fetchChecked = async (url, init) => {
    const response = await fetch(url, init);
    const { method } = init?.body ? JSON.parse(init.body) : {};
    const type = response.headers.get("content-type");
    if (response.status === 401) return response;
    const copy = response.clone().text();
    const check = async () => {
      // A client that goes leaves the rest unread.
      const text = await copy.catch(() => "");
      texts.push(text);
      if (response.status === 405) return;
      for (const message of messagesOf(text, type)) checkMessage(revision, method, message);
    };
    checks.push(check());
    checks.at(-1).catch(() => {});
    return response;
  };
  return Object.assign(fetchChecked, { texts, done: () => Promise.all(checks) });
}

let ids = 0;

const isPlain = (text) => /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text);
export const encoded = (text) => `=?base64?${Buffer.from(text).toString("base64")}?=`;
/** A name as a header: in base64 if HTTP could not carry it. */
const headerOf = (name) => (isPlain(name) && !name.startsWith("=?") ? name : encoded(name));

/** A request of the modern revision; `meta`, `headers` and `params` may be what they must not. */
export async function modern(worker, method, params = {}, options = {}) {
  const { key = AGENT_KEY, headers = {}, id = ++ids, capabilities = {}, meta } = options;
  const name = params?.name ?? params?.taskId;
  const isNamed = typeof name === "string" && name.length < 4_000;
  const _meta = meta ?? {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": capabilities,
  };
  return post(worker, MODERN, {
    key,
    headers: {
      "mcp-protocol-version": MODERN,
      "mcp-method": method,
      ...(isNamed && { "mcp-name": headerOf(name) }),
      ...headers,
    },
    message: { jsonrpc: "2.0", id, method, params: { ...params, _meta } },
  });
}

/** A request of the revision before. */
export const legacy = (worker, method, params, { key = AGENT_KEY, headers, id = ++ids } = {}) =>
  post(worker, LEGACY, { key, headers, message: { jsonrpc: "2.0", id, method, params } });

/** Sends one message; `undefined` removes a header. Returns the checked messages of the answer. */
export async function post(worker, revision, { key = AGENT_KEY, headers = {}, message }) {
  const all = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...headers,
  };
  const sent = Object.entries(all).filter(([, value]) => value !== undefined);
  const body =
    typeof message === "string" || message instanceof Uint8Array
      ? message
      : JSON.stringify(message);
  const response = await fetch(`${worker.url}/mcp`, { method: "POST", headers: sent, body });
  const text = await response.text();
  const { status } = response;
  const answer = { status, text, headers: response.headers, messages: [] };
  const isRpc = status !== 401 && text !== "";
  if (isRpc) {
    answer.messages = messagesOf(text, response.headers.get("content-type"));
    const written = /"method":"([^"]*)"/.exec(typeof message === "string" ? message : "");
    const method = written?.[1] ?? message?.method;
    for (const one of answer.messages) checkMessage(revision, method, one);
  }
  const { result, error, id } = answer.messages.at(-1) ?? {};
  return Object.assign(answer, { result, error, id });
}

/** Calls a tool, in the modern revision. */
export const call = (worker, name, args = {}, options = {}) =>
  modern(worker, "tools/call", { name, arguments: args }, options);
