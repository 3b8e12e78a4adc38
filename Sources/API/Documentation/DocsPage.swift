// SPDX-License-Identifier: Apache-2.0

/// `/docs`: every call, drawn from `/openapi.json`, each to be tried. It loads nothing from another host.
enum DocsPage {
    static let assets: [String: (contentType: String, bytes: [UInt8])] = [
        "docs.css": ("text/css; charset=utf-8", Array(DocsStyle.css.utf8)),
        "docs.js": ("text/javascript; charset=utf-8", Array(DocsScript.javascript.utf8)),
    ]

    static let html = Array(
        #"""
        <!doctype html>
        <html lang="zh">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>MLflow 备份服务 · MLflow backup service</title>
        <link rel="stylesheet" href="/docs/docs.css">
        <script src="/docs/docs.js" defer></script>
        </head>
        <body>
        <header>
          <h1 data-zh="MLflow 备份服务" data-en="MLflow backup service">MLflow 备份服务</h1>
          <button id="language" type="button" aria-label="语言 / language">English</button>
        </header>
        <section id="status" aria-live="polite" aria-label="状态 / status"></section>
        <section id="access">
          <label for="token" data-zh="令牌（设置了 API_TOKEN 时需要）" data-en="Token (needed where API_TOKEN is set)">令牌（设置了 API_TOKEN 时需要）</label>
          <input id="token" type="password" autocomplete="off">
        </section>
        <main id="calls"></main>
        <footer><a href="/openapi.json">openapi.json</a></footer>
        <noscript>此页面需要 JavaScript。全部调用见 /openapi.json。 This page needs JavaScript; see /openapi.json.</noscript>
        </body>
        </html>
        """#.utf8)
}
