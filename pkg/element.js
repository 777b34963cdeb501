// The entry `waitpoint/element`: <waitpoint-approval>, on top of `waitpoint`. Importing it defines it.
import { WaitpointError, completeToken, decodeToken, retrieveToken } from "./index.js";

// Each state's sentence is a slot, so that a page can say it in its own words.
const SENTENCES = {
  idle: "",
  sending: "Sending your decision…",
  done: "Your decision was recorded.",
  decided: "This was already decided.",
  expired: "This can no longer be decided: its time is over.",
  failed: "Your decision could not be sent.",
};

const STYLES = `
:host { display: block; font: inherit; --gap: var(--waitpoint-gap, 0.75rem); }
:host([hidden]), [hidden] { display: none !important; }
label { display: block; margin-bottom: var(--gap); }
textarea { box-sizing: border-box; display: block; width: 100%; min-height: 4.5em; margin-top: 0.25rem; padding: 0.5rem; }
button, textarea { font: inherit; color: inherit; border-radius: var(--waitpoint-radius, 0.5rem); }
textarea, .plain { background: transparent; border: 1px solid color-mix(in srgb, currentColor 55%, transparent); }
button { min-height: 2.75rem; padding: 0.5rem 1.25rem; cursor: pointer; font-weight: 600; }
.primary { border: 1px solid transparent; background: var(--waitpoint-accent, #1a5fb4); color: var(--waitpoint-on-accent, #fff); }
:is(button, textarea, p):focus-visible { outline: 3px solid var(--waitpoint-focus, currentColor); outline-offset: 2px; }
button[aria-disabled="true"] { opacity: 0.6; cursor: progress; }
.row { display: flex; flex-wrap: wrap; gap: var(--gap); }
p { margin: 0; }
.row:not([hidden]) + p:not([data-state="idle"]) { margin-top: var(--gap); }
`;

const DECISIONS = {
  approve: { label: "Approve", data: { status: "approved" }, style: "primary" },
  reject: { label: "Reject", data: { status: "rejected" }, style: "plain" },
};

export class WaitpointApproval extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ["token-url", "token-id", "access-token", "comment", ...Object.keys(DECISIONS)];
  #parts = {};
  #chosen = "approve";
  #controller;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    root.adoptedStyleSheets = [sheet];
    const add = (parent, tag, part, fields = {}) => {
      const element = Object.assign(document.createElement(tag), fields);
      if (part) element.setAttribute("part", (this.#parts[part] = element) && part);
      return parent.appendChild(element);
    };
    add(root, "slot");
    const label = add(root, "label", "label", { hidden: true });
    add(label, "slot", "", { name: "comment" }).append("Comment");
    add(label, "textarea", "comment", { maxLength: 2000 });
    const row = add(root, "div", "buttons", { className: "row" });
    for (const [name, { style }] of Object.entries(DECISIONS)) {
      add(row, "button", name, { type: "button", className: style, onclick: () => this.decide(name) });
    }
    const status = add(root, "p", "status", { tabIndex: -1 });
    status.setAttribute("role", "status");
    add(root, "div", "again", { className: "row", hidden: true });
    add(this.#parts.again, "button", "retry", { className: "plain", type: "button", onclick: () => this.decide(this.#chosen) });
    add(this.#parts.retry, "slot", "", { name: "retry" }).append("Try again");
    this.#show("idle");
  }

  connectedCallback() {
    this.#controller = new AbortController();
    if (!this.state) this.#show("idle");
    this.#look();
  }

  disconnectedCallback() {
    // A decision under way goes on; only looking ends.
    this.#controller.abort();
  }

  attributeChangedCallback(name) {
    for (const [decision, { label }] of Object.entries(DECISIONS)) {
      const given = this.getAttribute(decision);
      this.#parts[decision].textContent = given || label;
      this.#parts[decision].hidden = given === "";
    }
    this.#parts.label.hidden = !["optional", "required"].includes(this.getAttribute("comment"));
    if (/^token|^access/.test(name) && this.isConnected) {
      this.#show("idle");
      this.#look();
    }
  }

  /** idle, sending, done, decided, expired or failed. */
  get state() {
    return this.getAttribute("state");
  }

  /** Decides as its button does; resolves when the state is final or failed. */
  async decide(name) {
    if (!["idle", "failed"].includes(this.state)) return;
    const { label, comment } = this.#parts;
    comment.required = !label.hidden && this.getAttribute("comment") === "required";
    if (!label.hidden && !comment.reportValidity()) return;
    this.#chosen = name;
    this.#show("sending");
    try {
      const data = this.#data(name);
      const { outcome } = await completeToken(this.#token(), data, this.#options());
      const state = { "already-completed": "decided", "timed-out": "expired" }[outcome] ?? "done";
      this.#show(state, true);
      this.#tell("waitpoint-complete", { outcome, data, decision: name });
    } catch (error) {
      this.#show(this.#isExpired() ? "expired" : "failed", true, error.retryable);
      this.#tell("waitpoint-error", { error });
    }
  }

  #data(name) {
    const text = this.getAttribute(`${name}-data`);
    let data = DECISIONS[name].data;
    try {
      if (text !== null) data = JSON.parse(text);
    } catch (cause) {
      throw new WaitpointError(`${name}-data is no JSON: ${text}`, { code: "invalid_argument", cause });
    }
    const comment = this.#parts.label.hidden ? "" : this.#parts.comment.value.trim();
    if (!comment) return data;
    return Object(data) === data && !Array.isArray(data) ? { ...data, comment } : { data, comment };
  }

  #token() {
    return this.getAttribute("token-url") ?? this.getAttribute("token-id") ?? "";
  }

  #options() {
    const of = (name) => this.getAttribute(name) ?? undefined;
    return { accessToken: of("access-token"), baseURL: of("base-url") };
  }

  #isExpired() {
    try {
      const jwt = this.getAttribute("access-token") ?? this.getAttribute("token-url");
      return decodeToken(jwt).expiresAt <= Date.now();
    } catch {
      return false;
    }
  }

  /** Whether it was decided before, where the credential may read. */
  async #look() {
    const token = this.#token();
    if (!token) return;
    const look = await retrieveToken(token, { ...this.#options(), signal: this.#controller.signal }).catch(() => ({}));
    if (this.state !== "idle" || token !== this.#token()) return;
    const state = { COMPLETED: "decided", TIMED_OUT: "expired" }[look.status];
    if (state || this.#isExpired()) this.#show(state ?? "expired");
  }

  #show(state, focus, retryable) {
    const { buttons, again, retry, status, label, ...parts } = this.#parts;
    if (this.isConnected || state !== "idle") this.setAttribute("state", state);
    buttons.hidden = !["idle", "sending"].includes(state);
    again.hidden = !retryable;
    for (const name in DECISIONS) parts[name].setAttribute("aria-disabled", state === "sending");
    parts.comment.readOnly = !["idle", "failed"].includes(state);
    const slot = Object.assign(document.createElement("slot"), { name: state, textContent: SENTENCES[state] });
    status.dataset.state = state;
    status.replaceChildren(slot);
    if (focus) (retryable ? retry : status).focus();
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

if (globalThis.customElements && !customElements.get("waitpoint-approval")) {
  customElements.define("waitpoint-approval", WaitpointApproval);
}
