// Asks the server. Reads and drafts are asked again when the network is lost, and so are verdicts: their key makes them
// happen once, however often they are sent.

import { t } from "./element.js";

const PATIENCE = 60_000;
const PAUSES = [400, 1200, 3000];

export class Refusal extends Error {
  constructor(status, body) {
    super(body.message || t("settle.failed", { status }));
    this.status = status;
    this.code = body.error ?? "";
    this.body = body;
  }
}

export class Offline extends Error {}

// The session has ended. Nothing moves under a person's hands: a bar says so, and their next act leads to signing in.
export class SignedOut extends Error {}

const token = () => document.querySelector("meta[name=vouch-token]").content;
const banner = () => document.getElementById("offline");
const ended = () => document.getElementById("signed-out");
const sleep = (span) => new Promise((done) => setTimeout(done, span));

export function key() {
  return crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
}

let keep = () => {};
// What to keep before the person is sent to sign in.
export function beforeSignIn(run) {
  keep = run;
}

// Leads to the form and back here. `more` is what the person was at besides what the screen knows.
export function signIn(more = {}) {
  keep(more);
  location.assign(`/sign-in?back=${encodeURIComponent(location.pathname + location.search)}`);
}

async function once(method, path, body, signal) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") Object.assign(headers, { "X-Vouch-Token": token(), "Content-Type": "application/json" });
  const limit = AbortSignal.timeout(PATIENCE);
  const answer = await fetch(path, {
    method,
    headers,
    body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
    credentials: "same-origin",
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  });
  const told = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  // A page from before signing in anew, in another window, has an old token: the same way leads to a new one.
  if (answer.status === 401 || told?.error === "stale_form") {
    ended().hidden = false;
    throw new SignedOut(t("settle.signed_out"));
  }
  if (!answer.ok) throw new Refusal(answer.status, told ?? {});
  banner().hidden = true;
  if (method !== "GET") ended().hidden = true;
  return told;
}

// `patient` goes on asking until the network is back.
export async function ask(method, path, body, { signal, patient = false } = {}) {
  for (let tried = 0; ; tried++) {
    try {
      return await once(method, path, body, signal);
    } catch (error) {
      if (error instanceof Refusal || error instanceof SignedOut || signal?.aborted) throw error;
      banner().hidden = false;
      if (!patient && tried >= PAUSES.length) throw new Offline(t("settle.offline"));
      await sleep(PAUSES[Math.min(tried, PAUSES.length - 1)]);
    }
  }
}

// On the way out: nobody waits for the answer.
export function part(method, path) {
  fetch(path, {
    method,
    keepalive: true,
    body: "{}",
    headers: { "X-Vouch-Token": token(), "Content-Type": "application/json" },
  }).catch(() => {});
}
