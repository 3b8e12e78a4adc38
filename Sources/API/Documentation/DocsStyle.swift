// SPDX-License-Identifier: Apache-2.0

enum DocsStyle {
    static let css = #"""
        :root { color-scheme: light dark; --ink: #1c2733; --soft: #5b6b7b; --line: #d9e0e7; --paper: #f6f8fa; --card: #ffffff;
          --accent: #0b6bcb; --good: #1a7f4b; --bad: #b3261e; --code: #eef2f6; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e4eaf0; --soft: #9db0c2; --line: #2b3947; --paper: #11181f;
          --card: #18222c; --accent: #6cb6ff; --good: #57c98a; --bad: #ff8a80; --code: #0d141b; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; background: var(--paper); color: var(--ink);
          font: 16px/1.55 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
        header { display: flex; justify-content: space-between; align-items: center; gap: 1rem; }
        h1 { font-size: 1.5rem; margin: 0; }
        h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; color: var(--soft); font-weight: 600; }
        button { font: inherit; padding: .4rem .9rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--card);
          color: var(--ink); cursor: pointer; white-space: nowrap; }
        button.go { background: var(--accent); border-color: var(--accent); color: var(--card); font-weight: 600; }
        button:disabled { opacity: .5; cursor: default; }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        #status { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin: 1.25rem 0; }
        .tile { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem; }
        .tile small { display: block; color: var(--soft); }
        .tile strong { font-size: 1.1rem; overflow-wrap: anywhere; }
        .good { color: var(--good); } .bad { color: var(--bad); }
        .finding { grid-column: 1 / -1; border-color: var(--bad); }
        #access { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; color: var(--soft); font-size: .9rem; }
        input, select { font: inherit; padding: .35rem .5rem; border: 1px solid var(--line); border-radius: .4rem;
          background: var(--card); color: var(--ink); min-width: 0; width: 100%; }
        #access input { width: 16rem; max-width: 100%; }
        details { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; margin: .5rem 0; }
        summary { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: baseline; padding: .65rem .9rem; cursor: pointer; }
        summary::-webkit-details-marker { display: none; }
        .method { font: 700 .8rem ui-monospace, monospace; min-width: 4.2rem; color: var(--accent); }
        .method.DELETE { color: var(--bad); } .method.POST { color: var(--good); }
        summary code { overflow-wrap: anywhere; }
        summary span.about { color: var(--soft); font-size: .92rem; }
        .call { padding: 0 .9rem .9rem; border-top: 1px solid var(--line); }
        .fields { display: grid; grid-template-columns: minmax(7rem, 12rem) 1fr; gap: .5rem .8rem; align-items: center; margin: .9rem 0; }
        .fields label small { display: block; color: var(--soft); }
        pre { background: var(--code); border-radius: .4rem; padding: .7rem; overflow: auto; max-height: 26rem; font: .84rem/1.45 ui-monospace, monospace;
          white-space: pre-wrap; overflow-wrap: anywhere; margin: .6rem 0 0; }
        progress { width: 100%; accent-color: var(--accent); margin-top: .6rem; }
        footer { margin-top: 2rem; color: var(--soft); }
        a { color: var(--accent); }
        @media (max-width: 30rem) { .fields { grid-template-columns: 1fr; } }
        """#
}
