// Those who are told of tokens: a token's own webhook, a webhook in its `notify`, a Slack channel.
import { once } from "node:events";
import { createServer } from "node:http";
import { now } from "./worker.mjs";

export const SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const EVENTS = ["created", "reminder", "extended", "completed", "timed_out", "cancelled"];

/** Calls `tell(id, event)` for whatever is received. `settings` makes the Worker send it. */
export async function startRecipients(tell) {
  const server = createServer(async (request, response) => {
    const began = now();
    // A kill may break it off.
    const chunks = await Array.fromAsync(request).catch(() => undefined);
    if (!chunks) return;
    const body = JSON.parse(Buffer.concat(chunks));
    const by = request.url.slice(1);
    const said = by === "slack" ? ofSlack(body) : ofWebhook(body, request.headers["webhook-id"]);
    tell(said.id, { kind: "told", by, began, ended: now(), ...said.event });
    response.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    settings: {
      WEBHOOK_SECRET: SECRET,
      WEBHOOK_EVENTS: EVENTS.map((name) => `waitpoint.${name}`).join(),
      CHANNELS: `deploys=${url}/slack`,
    },
    /** The fields of create for these recipients: `own`, `hook` and `slack`. */
    fields(recipients) {
      const notify = { hook: { webhook: `${url}/hook` }, slack: { slack: "deploys" } };
      return {
        webhook: recipients.includes("own") ? { url: `${url}/own` } : undefined,
        notify: recipients.filter((by) => by !== "own").map((by) => notify[by]),
      };
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function ofWebhook({ type, timestamp, data }, message) {
  const name = type.replace("waitpoint.", "");
  // Only an end tells of the token as it is.
  const output = name === "cancelled" ? data.cancelReason : data.output;
  const event = { type: name, message, at: Date.parse(timestamp), output };
  return { id: data.id, event };
}

/** A message in Slack has no id. Its one link names the token. */
function ofSlack(body) {
  const [, id] = /\/t\/([^/]+)\//.exec(JSON.stringify(body));
  const type = body.text.startsWith("Reminder: ") ? "reminder" : "created";
  return { id: `waitpoint_${id}`, event: { type } };
}
