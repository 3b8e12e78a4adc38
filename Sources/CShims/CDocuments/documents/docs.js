"use strict";
const say = { zh: { go: "执行", health: "状态", last: "最近备份", count: "备份数", free: "可用空间", none: "无", healthy: "健康",
    unhealthy: "异常", sure: "确定要执行吗？", download: "下载", status: "状态", backups: "备份", restore: "恢复", tasks: "任务", failed: "请求失败" },
  en: { go: "Execute", health: "Health", last: "Last backup", count: "Backups", free: "Free space", none: "none", healthy: "healthy",
    unhealthy: "unhealthy", sure: "Are you sure?", download: "Download", status: "Status", backups: "Backups", restore: "Restore", tasks: "Tasks", failed: "The request failed" } };
const remembered = localStorage.getItem("language");
let language = remembered || (navigator.language.toLowerCase().startsWith("en") ? "en" : "zh");
let openapi = null;
const $ = (id) => document.getElementById(id);
const t = (key) => say[language][key];

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}
/* "中文 / English": the half that is wanted. */
function half(text) {
  const parts = (text || "").split(" / ");
  return parts.length < 2 ? text || "" : language === "zh" ? parts[0] : parts.slice(1).join(" / ");
}
function headers(json) {
  const sent = { "Accept-Language": language };
  if (json) sent["Content-Type"] = "application/json";
  if ($("token").value) sent.Authorization = "Bearer " + $("token").value;
  return sent;
}
async function get(path) { return fetch(path, { headers: headers(false) }); }

function tile(title, value, className) {
  const box = element("div", undefined, "tile");
  box.append(element("small", title), element("strong", value, className));
  return box;
}
async function showStatus() {
  const strip = $("status");
  try {
    const health = await (await get("/health")).json();
    const tiles = [tile(t("health"), t(health.status), health.status === "healthy" ? "good" : "bad")];
    const answer = await get("/stats");
    if (answer.ok) {
      const stats = await answer.json();
      tiles.push(tile(t("last"), (stats.latest_backup || t("none")).replace("T", " ")), tile(t("count"), String(stats.backup_count)),
        tile(t("free"), stats.disk_usage.available));
    }
    for (const finding of health.findings || []) { const box = tile("!", finding, "bad"); box.classList.add("finding"); tiles.push(box); }
    strip.replaceChildren(...tiles);
  } catch { strip.replaceChildren(tile(t("health"), t("unhealthy"), "bad")); }
}

function resolve(node) {
  return node && node.$ref ? node.$ref.slice(2).split("/").reduce((at, key) => at[key], openapi) : node;
}
function fieldsOf(call, shared) {
  const fields = [...shared, ...(call.parameters || [])].map(resolve).filter((p) => p.in !== "header")
    .map((p) => ({ name: p.name, place: p.in, required: p.required, schema: p.schema, example: p.example }));
  const body = call.requestBody && resolve(call.requestBody.content["application/json"].schema);
  for (const [name, schema] of Object.entries(body ? body.properties : {}))
    fields.push({ name, place: "body", required: (body.required || []).includes(name), schema, example: schema.example });
  return fields;
}
function inputFor(field, id) {
  const choices = field.schema.type === "boolean" ? ["true", "false"] : field.schema.enum;
  let input;
  if (choices) {
    input = element("select");
    for (const value of ["", ...choices]) { const option = element("option", value); option.value = value; input.append(option); }
    if (field.schema.default !== undefined) input.value = String(field.schema.default);
  } else {
    input = element("input");
    input.placeholder = field.example || "";
    if (field.name === "name" || field.name === "backup_name") input.setAttribute("list", "names");
  }
  input.id = id;
  return input;
}
function request(method, path, fields) {
  let target = path, query = [];
  const body = {};
  for (const field of fields) {
    const value = field.input.value.trim();
    if (field.place === "path") target = target.replace("{" + field.name + "}", encodeURIComponent(value));
    else if (value === "") continue;
    else if (field.place === "query") query.push(encodeURIComponent(field.name) + "=" + encodeURIComponent(value));
    else body[field.name] = field.schema.type === "boolean" ? value === "true" : value;
  }
  if (query.length) target += "?" + query.join("&");
  return { target, body: fields.some((f) => f.place === "body") ? JSON.stringify(body) : null };
}
function curl(method, sent) {
  let line = "curl -X " + method + " '" + location.origin + sent.target + "'";
  if ($("token").value) line += " -H 'Authorization: Bearer …'";
  if (sent.body) line += " \\\n  -H 'Content-Type: application/json' -d '" + sent.body.replaceAll("'", "'\\''") + "'";
  return line;
}
async function follow(id, output, bar) {
  for (;;) {
    await new Promise((wake) => setTimeout(wake, 700));
    const task = await (await get("/tasks/" + encodeURIComponent(id))).json();
    output.textContent = JSON.stringify(task, null, 2);
    if (task.progress && task.progress.percent !== undefined) bar.value = task.progress.percent; else bar.removeAttribute("value");
    if (task.status !== "running" && task.status !== "pending") { bar.remove(); showStatus(); showNames(); return; }
  }
}
async function run(method, path, fields, box, button) {
  const sent = request(method, path, fields);
  const risky = method === "DELETE" || path === "/restore";
  if (risky && !confirm(method + " " + sent.target + "\n" + (sent.body || "") + "\n\n" + t("sure"))) return;
  button.disabled = true;
  const line = element("pre", curl(method, sent)), output = element("pre", "…");
  box.replaceChildren(line, output);
  try {
    const answer = await fetch(sent.target, { method, headers: headers(sent.body !== null), body: sent.body });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
    output.textContent = "HTTP " + answer.status + "\n" + shown;
    if (answer.status === 202) {
      const bar = element("progress");
      bar.max = 100;
      box.append(bar);
      await follow(JSON.parse(text).task_id, output, bar);
    }
  } catch (error) { output.textContent = t("failed") + ": " + error.message; }
  button.disabled = false;
  showStatus();
}
function callCard(path, method, call, shared) {
  const card = element("details"), head = element("summary"), inside = element("div", undefined, "call");
  head.append(element("span", method, "method " + method), element("code", path), element("span", half(call.summary), "about"));
  const grid = element("div", undefined, "fields"), fields = fieldsOf(call, shared);
  fields.forEach((field, number) => {
    const id = call.operationId + "-" + number, label = element("label", field.name + (field.required ? " *" : ""));
    label.htmlFor = id;
    if (field.schema.description) label.append(element("small", half(field.schema.description)));
    field.input = inputFor(field, id);
    grid.append(label, field.input);
  });
  const box = element("div"), button = element("button", t("go"), "go");
  button.type = "button";
  if (path.endsWith("/download")) {
    button.textContent = t("download");
    /* A link cannot carry the token's header: with one, the curl line is shown instead. */
    button.onclick = () => {
      const sent = request(method, path, fields);
      if ($("token").value) box.replaceChildren(element("pre", curl(method, sent) + " -OJ"));
      else location.href = sent.target;
    };
  } else button.onclick = () => run(method, path, fields, box, button);
  inside.append(grid, button, box);
  card.append(head, inside);
  return card;
}
function draw() {
  document.documentElement.lang = language;
  $("language").textContent = language === "zh" ? "English" : "中文";
  for (const node of document.querySelectorAll("[data-zh]")) node.textContent = node.dataset[language];
  const sections = new Map();
  for (const [path, item] of Object.entries(openapi.paths))
    for (const [method, call] of Object.entries(item)) {
      if (method === "parameters") continue;
      const tag = call.tags[0];
      if (!sections.has(tag)) sections.set(tag, [element("h2", t(tag))]);
      sections.get(tag).push(callCard(path, method.toUpperCase(), call, item.parameters || []));
    }
  $("calls").replaceChildren(...[...sections.values()].flat());
  showStatus();
}
async function showNames() {
  const answer = await get("/backups");
  if (!answer.ok) return;
  let list = $("names");
  if (!list) { list = element("datalist"); list.id = "names"; document.body.append(list); }
  list.replaceChildren(...(await answer.json()).map((backup) => { const option = element("option"); option.value = backup.name; return option; }));
}
async function start() {
  $("token").value = sessionStorage.getItem("token") || "";
  $("token").onchange = () => { sessionStorage.setItem("token", $("token").value); showStatus(); showNames(); };
  $("language").onclick = () => { language = language === "zh" ? "en" : "zh"; localStorage.setItem("language", language); draw(); };
  openapi = await (await get("/openapi.json")).json();
  draw();
  showNames();
  setInterval(showStatus, 15000);
}
start();
