// The page over Swagger UI: where the description is, and who signs.
"use strict";

// fill asks the server for the Token of a request and puts it into the body.
// The server has the key; only the token comes back.
async function fill(request, signer) {
  const path = new URL(request.url, window.location.href).pathname;
  let body;
  try {
    body = JSON.parse(request.body);
  } catch {
    return request; // not JSON: the server shall say so
  }
  delete body.Token;
  const answer = await fetch(signer, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ path, body }),
  });
  if (answer.ok) {
    const { Token } = await answer.json();
    request.body = JSON.stringify({ Token, ...body }, null, 2);
  }
  return request;
}

async function start() {
  const settings = await (await fetch("settings.json")).json();
  const box = document.getElementById("sign");
  document.getElementById("signing").hidden = !settings.sign;
  window.ui = SwaggerUIBundle({
    url: "../openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null,
    displayRequestDuration: true,
    requestInterceptor: (request) =>
      settings.sign && box.checked && request.method === "POST" ? fill(request, settings.sign) : request,
  });
}

start();
