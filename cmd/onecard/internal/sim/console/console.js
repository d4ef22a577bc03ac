"use strict";
// The console of the sandbox: everything it shows and does is below /_sim, and
// what it sends to the API is signed there, so that no key reaches this page.

const $ = (selector) => document.querySelector(selector);

const points = ["before-parse", "after-token", "before-module", "module-timeout", "wrong-mac1", "before-commit",
  "commit-fails", "answer-lost", "answer-late", "delivered-twice", "half-frame", "slow-sender", "midnight"];

async function ask(path, body, method) {
  const answer = await fetch(path, {
    method: method || (body === undefined ? "GET" : "POST"),
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const value = await answer.json();
  if (path.startsWith("/_sim") && !answer.ok) throw new Error(value.error);
  return value;
}

function element(name, text, attributes) {
  const e = document.createElement(name);
  e.textContent = text;
  Object.assign(e, attributes || {});
  return e;
}

// guarded shows what went wrong instead of losing it.
function guarded(f) {
  return async (event) => {
    if (event) event.preventDefault();
    $("#error").textContent = "";
    try { await f(event); } catch (e) { $("#error").textContent = String(e.message || e); }
  };
}

async function showCards() {
  const cards = await ask("/_sim/cards");
  const chosen = $("#load select").value;
  $("#load select").replaceChildren(...cards.map((c) => element("option", c.CardNo + " (type " + c.CardType + ")", { value: c.CardNo })));
  if (chosen) $("#load select").value = chosen;
  $("#cards tbody").replaceChildren(...cards.map((c) => {
    const row = document.createElement("tr");
    row.dataset.card = c.CardNo;
    for (const text of [c.CardNo, c.CardType, c.Balance, c.CardTradeNo]) row.append(element("td", text));
    const spend = element("button", "spend 100", { onclick: guarded(async () => {
      await ask("/_sim/cards/" + c.CardNo + "/spend", { TradeMoney: "100" });
      await showCards();
    }) });
    const cell = element("td", "");
    cell.append(spend);
    row.append(cell);
    return row;
  }));
}

function step(text, refused) {
  $("#steps").append(element("li", text, { className: refused ? "refused" : "" }));
}

// call signs a body in the sandbox and sends it to the API.
async function call(path, domain, fields) {
  const body = { OrigionDomain: domain, ...fields };
  body.Token = (await ask("/_sim/sign", { path, body })).Token;
  return ask(path, body);
}

// load is a whole load over the counter, as a terminal performs it.
const load = guarded(async () => {
  $("#steps").replaceChildren();
  const form = new FormData($("#load"));
  const card = "/_sim/cards/" + form.get("card");
  const now = await call("/tuxedo/now", "TERM", { ChannelNo: "01" });
  step("now: " + now.HostDate + " " + now.HostTime);
  const init = await ask(card + "/init-load", { TradeMoney: form.get("amount"), TermNo: "112233445566" });
  step("INITIALIZE FOR LOAD: counter " + init.CardTradeNo + ", random " + init.RndNumber2 + ", MAC1 " + init.Mac1);
  const answer = await call("/card/supply", "TERM",
    { ...init, DeptNo: "D001", OperNo: "OP01", HostDate: now.HostDate, HostTime: now.HostTime });
  if (!answer.Mac2) {
    step("card/supply refused: " + answer.ErrorCode + " " + answer.ErrorMsg, true);
    return;
  }
  step("card/supply: MAC2 " + answer.Mac2);
  if (form.get("tear")) {
    await ask(card + "/tear", { Tear: "before" });
    $("#load [name=tear]").checked = false;
  }
  try {
    const credit = await ask(card + "/credit", { HostDate: now.HostDate, HostTime: now.HostTime, Mac2: answer.Mac2 });
    step("CREDIT FOR LOAD: TAC " + credit.CardTac + ", the card holds " + credit.Balance + " fen");
  } catch (e) {
    step(e.message + " (load the same amount again: that is the rewrite)", true);
  }
  await showCards();
  await showBooks();
});

let kind = "orders";
async function showBooks() {
  $("#books").textContent = JSON.stringify(await ask("/_sim/" + kind), null, 2);
}

async function showFaults() {
  $("#faults").textContent = JSON.stringify(await ask("/_sim/faults"), null, 2);
}

// What a load met is armed no more; what it was refused with stays to be read.
const guardedFaults = async () => { try { await showFaults(); } catch (e) { $("#error").textContent = String(e.message || e); } };

async function showClock() {
  const c = await ask("/_sim/clock");
  $("#clock").textContent = "Clock: " + c.now + (c.held ? " (held)" : "");
}

function listen() {
  const source = new EventSource("/_sim/events");
  source.onmessage = (message) => {
    const e = JSON.parse(message.data);
    const item = element("li", e.kind + ": " + e.text, { className: e.code && /[1-9]/.test(e.code) ? "refused" : "" });
    if (e.kind === "request") {
      const id = e.text.split(" ")[0];
      item.append(" ", element("button", "explain", { onclick: guarded(async () => {
        $("#story").textContent = JSON.stringify(await ask("/_sim/explain/" + id), null, 2);
      }) }));
    }
    $("#events").prepend(item);
    while ($("#events").childElementCount > 100) $("#events").lastChild.remove();
  };
}

$("#load").onsubmit = async (event) => { await load(event); await guardedFaults(); };
$("#newcard").onclick = guarded(async () => { await ask("/_sim/cards", {}); await showCards(); });
$("#fault").onsubmit = guarded(async () => {
  const form = new FormData($("#fault"));
  await ask("/_sim/faults", { point: form.get("point"), path: form.get("path"), times: Number(form.get("times")) });
  await showFaults();
});
$("#disarm").onclick = guarded(async () => { await ask("/_sim/faults", undefined, "DELETE"); await showFaults(); });
$("#reset").onclick = guarded(async () => { await ask("/_sim/reset", {}); await start(); });
$("#fault [name=point]").append(...points.map((p) => element("option", p)));
for (const k of ["orders", "accounts", "recharge-cards", "corp-accounts"]) {
  $("#kinds").append(element("button", k, { onclick: guarded(async () => { kind = k; await showBooks(); }) }), " ");
}

const start = guarded(async () => {
  await Promise.all([showCards(), showBooks(), showFaults(), showClock()]);
  document.body.dataset.ready = "yes";
});
start();
listen();
