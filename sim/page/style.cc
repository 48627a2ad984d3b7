#include "page/style.h"

namespace sim::page {

const char* const kStyleSheet = R"css(
:root{--ground:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#57606a;--rule:#d0d7de;--grid:#e6e8eb;--accent:#0060a0;
--ok:#1a6e34;--bad:#b02a00;--unsure:#7a5300;--window:#d55e0018;--fault:#d55e00;
--p50:#6aaed6;--p90:#2b7bba;--p99:#08306b;--max:#6b6b6b;--ink-p50:#1f6ea5;
--s0:#0072b2;--s1:#965c00;--s2:#1b1f24;--s3:#6e6e6e;--s4:#00795a;--s5:#a04a7d;
--b0:#c9c9c9;--b1:#8ccbf0;--b2:#f0d58c;--b3:#a9a9a9;--b4:#a9dcc6;--b5:#dcb3cc;--on-bar:#14181c;
--fulfilled:#5aa9d6;--open:#c2a23a;--failed:#8a8a8a;--lost:#d55e00}
@media (prefers-color-scheme:dark){:root{--ground:#14181c;--card:#1d2329;--ink:#e8ebee;--soft:#a5afb9;--rule:#3a424b;
--grid:#2a3138;--accent:#7cc0f0;--ok:#6fd08c;--bad:#ff8a5c;--unsure:#e5b85c;--window:#ff8a5c22;--fault:#ff8a5c;
--p50:#8cc8ee;--p90:#4fa3de;--p99:#d9ecfa;--max:#9aa4ad;--ink-p50:#8cc8ee;
--s0:#56b4e9;--s1:#e69f00;--s2:#e8ebee;--s3:#9aa4ad;--s4:#4cc9a0;--s5:#e09ac6;
--fulfilled:#3d84b0;--open:#b8963a;--failed:#8a929a;--lost:#ff8a5c}}
@media print{:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#333;--rule:#999;--grid:#ddd;--accent:#000;--ok:#000;
--bad:#000;--unsure:#000;--s2:#000}figure,section{break-inside:avoid}nav{display:none}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI","Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:1040px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:1.5rem;line-height:1.25;margin:.2em 0}
h2{font-size:1.2rem;margin:2.2em 0 .4em;border-bottom:1px solid var(--rule);padding-bottom:.2em}
h3{font-size:1rem;margin:1.4em 0 .2em}
p{margin:.4em 0}
a{color:var(--accent)}
.soft,figcaption{color:var(--soft);font-size:.9rem}
.finding{font-size:1.15rem;margin:.6em 0 1em;max-width:60em}
.verdict{display:inline-block;font-weight:700;padding:.1em .7em;border:2px solid;border-radius:6px}
.ok{color:var(--ok)}.failed{color:var(--bad)}.inconclusive{color:var(--unsure)}
nav a{margin-right:1em;white-space:nowrap}
.cards{display:flex;flex-wrap:wrap;gap:12px;margin:14px 0;padding:0;list-style:none}
.cards li{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:8px 14px;min-width:110px}
.cards b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}
.cards span{color:var(--soft);font-size:.85rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.92rem;margin:.5em 0;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:.85rem;padding:.2em 0}
th,td{text-align:left;padding:.28em .9em .28em 0;border-bottom:1px solid var(--grid);vertical-align:top}
thead th{color:var(--soft);font-weight:600}
tbody th{font-weight:500}
pre{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:10px 12px;overflow-x:auto;font-size:.85rem}
code{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.92em}
figure{margin:1em 0 1.6em}
figure svg{width:100%;height:auto;display:block}
details{margin:.4em 0}
summary{cursor:pointer;color:var(--accent)}
dl.glossary{display:grid;grid-template-columns:max-content 1fr;gap:.25em 1.2em}
dl.glossary dt{font-weight:600}dl.glossary dd{margin:0}
@media (max-width:640px){dl.glossary{grid-template-columns:1fr}}
ol.steps{list-style:none;padding:0;margin:.4em 0;font-size:.92rem}
ol.steps li{display:grid;grid-template-columns:8.5em 1fr;gap:0 1em;padding:.1em 0}
ol.steps li.around{color:var(--bad)}
ol.steps span{font-variant-numeric:tabular-nums;color:var(--soft)}
.missing{border-left:4px solid var(--unsure);padding:.2em 1em;background:var(--card)}
svg text{font:11px system-ui,"Segoe UI","Helvetica Neue",Arial,sans-serif;fill:var(--ink)}
svg .panel{font-weight:600}
svg .small{fill:var(--soft)}
svg .axis{stroke:var(--soft);stroke-width:1}
svg .grid{stroke:var(--grid);stroke-width:1}
svg .window{fill:var(--window)}
svg .fault{fill:var(--fault)}
svg .line{fill:none;stroke-width:1.6;stroke-linejoin:round}
svg .p50{stroke:var(--p50)}svg .p90{stroke:var(--p90)}svg .p99{stroke:var(--p99);stroke-width:2}
svg circle.p50{fill:var(--p50)}svg circle.p90{fill:var(--p90)}svg circle.p99{fill:var(--p99)}
svg .max{fill:var(--max)}
svg text.ink-p50{fill:var(--ink-p50)}svg text.ink-p90{fill:var(--p90)}svg text.ink-p99{fill:var(--p99)}
svg text.ink-max{fill:var(--soft)}
svg .e2e{stroke:var(--p99);stroke-width:2.4}svg .ack{stroke:var(--soft);stroke-dasharray:2 4}
svg text.ink-e2e{fill:var(--p99);font-weight:600}svg text.ink-ack{fill:var(--soft)}
svg .s0{stroke:var(--s0)}svg .s1{stroke:var(--s1);stroke-dasharray:7 3}svg .s2{stroke:var(--s2);stroke-dasharray:2 2}
svg .s3{stroke:var(--s3);stroke-dasharray:8 3 2 3}svg .s4{stroke:var(--s4);stroke-dasharray:4 4}
svg .s5{stroke:var(--s5);stroke-dasharray:10 3 2 3 2 3}
svg text.ink-s0{fill:var(--s0)}svg text.ink-s1{fill:var(--s1)}svg text.ink-s2{fill:var(--s2)}
svg text.ink-s3{fill:var(--s3)}svg text.ink-s4{fill:var(--s4)}svg text.ink-s5{fill:var(--s5)}
svg .fill-fulfilled{fill:var(--fulfilled)}svg .fill-open{fill:var(--open)}
svg .fill-failed{fill:var(--failed)}svg .fill-lost{fill:var(--lost)}
svg text.ink-lost{fill:var(--bad);font-weight:600}
svg .none{fill:var(--lost)}
svg .controller-bar{fill:var(--b0);stroke:var(--ground);stroke-width:1}
svg .b0{fill:var(--b0)}svg .b1{fill:var(--b1)}svg .b2{fill:var(--b2)}
svg .b3{fill:var(--b3)}svg .b4{fill:var(--b4)}svg .b5{fill:var(--b5)}
svg text.on-bar{fill:var(--on-bar)}
svg .whisker{stroke:var(--ink);stroke-width:1.6}svg .median{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:3 2}
svg .seed-held,svg .rate-held{fill:var(--p90)}svg .rate-failed{fill:var(--lost)}
svg .seed-failed{stroke:var(--lost);stroke-width:1.6}svg .seed-unsure{fill:var(--ground);stroke:var(--soft);stroke-width:1.4}
svg .stage0{fill:#5e3c58}svg .stage1{fill:#0a4c7d}svg .stage2{fill:#b3430a}svg .stage3{fill:#7fb7d9}
svg .stage4{fill:#f0c05a}svg .stage5{fill:#6a7a2f}svg .stage6{fill:#a8cfa0}svg .stage7{fill:#d9d9d9}
svg .stage8{fill:#8a8a8a}svg .stage9{fill:#2e7d6b}
svg text.on-stage0,svg text.on-stage1,svg text.on-stage2,svg text.on-stage5,svg text.on-stage9{fill:#fff}
svg text.on-stage3,svg text.on-stage4,svg text.on-stage6,svg text.on-stage7,svg text.on-stage8{fill:#14181c}
)css";

}  // namespace sim::page
