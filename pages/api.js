// The endpoint: every request in one place, with the session's word on every change.

import { language } from "/pages/words.js";

let word = null;
let ended = () => {};

export class Refusal extends Error {
  constructor(status, body) {
    super(body.title || `HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

export const onEnd = (what) => { ended = what; };
export const isIn = () => word !== null;

async function send(method, path, body, headers = {}) {
  // What the endpoint says in words comes in the language that is read.
  const init = { method, headers: { "Accept-Language": language, ...headers }, credentials: "same-origin" };
  if (word && method !== "GET") init.headers["X-CSRF-Token"] = word;
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Refusal(0, {});
  }
  const isJson = (answer.headers.get("content-type") || "").includes("json");
  const data = isJson ? await answer.json() : {};
  if (answer.ok) return { data, tag: answer.headers.get("etag"), status: answer.status };
  if (answer.status === 401 && path !== "/v1/session") {
    word = null;
    ended();
  }
  throw new Refusal(answer.status, data);
}

export const get = async (path) => (await send("GET", path)).data;
export const read = (path) => send("GET", path);
export const post = async (path, body) => (await send("POST", path, body)).data;
export const change = (method, path, body, tag) => send(method, path, body, tag ? { "If-Match": tag } : {});

export async function resume() {
  try {
    word = (await send("GET", "/v1/session")).data.csrf;
  } catch (refusal) {
    // The socket needs no session: everything is open there.
    word = refusal.status === 409 ? "" : null;
    if (refusal.status === 0) throw refusal;
  }
  return word !== null;
}

export async function logIn(token) {
  word = (await send("POST", "/v1/session", { token })).data.csrf;
}

export async function logOut() {
  await send("DELETE", "/v1/session").catch(() => {});
  word = null;
  ended();
}

// Parts of a path that hold names from outside.
export const way = (...parts) => parts.map((part) => String(part).split("/").map(encodeURIComponent).join("/")).join("/");
