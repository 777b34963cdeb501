// An operator of the inbox, without a browser.
import assert from "node:assert/strict";
import { inboxLink } from "../../scripts/lib/inbox-link.mjs";
import { KEY } from "./workerd.mjs";

/** Signs in by a link. */
export async function operatorOf(url, { environment = "default", key = KEY, headers = {} } = {}) {
  const signedIn = await fetch(url + inboxLink(environment, key), { redirect: "manual" });
  assert.equal(signedIn.status, 303, await signedIn.text());
  const [cookie] = signedIn.headers.get("set-cookie").split(";");
  const ask = (path, options) =>
    fetch(url + path, {
      redirect: "manual",
      ...options,
      headers: { cookie, ...headers, ...options?.headers },
    });
  const read = async (path) => {
    const answer = await ask(path);
    const html = await answer.text();
    assert.equal(answer.status, 200, html);
    return html;
  };
  return {
    cookie,
    ask,
    read,
    /** The ids on a page of the list, in order. */
    list: async (query = "") => idsOn(await read(`/inbox${query}`)),
    /** Sends a form of this page. A field may have several values. */
    send: async (path, fields, { from = "/inbox", nonce } = {}) => {
      const sent = new URLSearchParams({ waitpoint_nonce: nonce ?? nonceOn(await read(from)) });
      for (const [name, value] of Object.entries(fields))
        for (const one of [value].flat()) sent.append(name, one);
      return ask(path, {
        method: "POST",
        body: sent,
        headers: { "sec-fetch-site": "same-origin" },
      });
    },
  };
}

export const nonceOn = (html) => /name="waitpoint_nonce" value="([^"]+)"/.exec(html)[1];

/** The ids of the tokens that a page can mark, in order. */
export const idsOn = (html) => {
  const found = html.matchAll(/name="id"[^>]* value="(waitpoint_\w+)"/g);
  return [...new Set(Array.from(found, ([, id]) => id))];
};
