import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{a as x,b as z,c as T,d as U,e as P,f as k,g as D,i as S,j as _,k as G,l as q,m as H,n as m,o as $}from"./chunk-6PYSGZQV.mjs";import{d as O,h as W,i as E,k as B,l as w,o as K}from"./chunk-RFTMIGVL.mjs";import"./chunk-LCWAVF6U.mjs";import{formatSize as Ce}from"./index.mjs";import{formatSize as v,hex as ue}from"./index.mjs";import{formatSize as J}from"./index.mjs";var Q=1e4,f=36,j=32,C={header:"Header",tables:"Tables",data:"Guest data",compressed:"Compressed data",free:"Free"},de=["data","compressed","tables","header"];function Z({before:e,after:t,isUnmoved:n},o,s){let r=Math.max(e.fileSize,t?.fileSize??0,1),a=[X(e,r,0)];if(t){let{stayed:c,moved:l}=N(e,t,n);a.push(R("stays",c,r,f,j),X(t,r,f+j)),a.push(R("moved",l,r,f+j,f/4))}let i=t?2*f+j:f,d=t?`Before: ${I(e)}. After: ${I(t)}.`:`${I(e)}.`;return`<svg${t?"":' class="single"'} viewBox="0 0 ${Q} ${i}" preserveAspectRatio="none" role="img" aria-labelledby="${o}-title ${o}-desc"><title id="${o}-title">Where things lie in ${m(s)}</title><desc id="${o}-desc">${d}</desc>${a.join("")}</svg>`}function L(e){let[t,n]=e==="compressed"?[f/2,f/2]:[0,f],o=e==="moved"?`<path class="data" d="M0 0h50v${f}h-50z"/><path class="moved" d="M0 0h50v${f/4}h-50z"/>`:e==="free"?"":`<path class="${e}" d="M0 ${t}h50v${n}h-50z"/>`,s=`<path class="file" d="M0 0h50v${f}h-50z"/>`;return`<svg viewBox="0 0 50 ${f}" preserveAspectRatio="none" aria-hidden="true">${s}${o}</svg>`}function N(e,t,n){let[o,s]=[Y(e),Y(t)];if(!e.isExact||!t.isExact)return{stayed:n?o:[],moved:[]};let r=s.flatMap(i=>V(o,i)),a=s.flatMap(i=>ce(V(o,i),i));return{stayed:r,moved:n?[]:a}}function X(e,t,n){let o=R("file",[{start:0,end:e.fileSize}],t,n,f),s=de.map(r=>{let a=e.runs.filter(i=>i.kind===r).map(ee);return r==="compressed"?R(r,a,t,n+f/2,f/2):R(r,a,t,n,f)});return[o,...s].join("")}function R(e,t,n,o,s){let r=i=>Math.round(i/n*Q),a=t.map(({start:i,end:d})=>{let c=r(d)-r(i);return`M${r(i)} ${o}h${c}v${s}h-${c}z`});return a.length===0?"":`<path class="${e}" d="${a.join("")}"/>`}function I(e){let n=Object.entries(C).flatMap(([o,s])=>e.bytes[o]>0?[`${s.toLowerCase()} ${J(e.bytes[o])}`]:[]);return`${J(e.fileSize)}, of it ${n.join(", ")}`}function ee({start:e,length:t}){return{start:e,end:e+t}}function Y({runs:e}){return e.filter(({kind:t})=>t==="data"||t==="compressed").map(ee)}function V(e,{start:t,end:n}){return e.map(o=>({start:Math.max(o.start,t),end:Math.min(o.end,n)})).filter(o=>o.end>o.start)}function ce(e,{start:t,end:n}){let o=[t,...e.flatMap(r=>[r.start,r.end]),n];return Array.from({length:o.length/2},(r,a)=>({start:o[2*a],end:o[2*a+1]})).filter(r=>r.end>r.start)}var me={good:"✓",doubtful:"!",bad:"✕",open:"…"};function F(e,t){return`<span class="status ${e}"><span class="sign" aria-hidden="true"><b>${me[e]}</b></span>${m(t)}</span>`}var te=10,M=50;function ne(e,t){let{index:n,dryRun:o}=t,{image:s,path:r,report:a,check:i}=e,d=`image-${n}`,c=a&&!k(a,o),l=[c?`${a.sourceFormat} → ${a.targetFormat}, ${o?"as planned":"in place"}`:"",!c&&a?`${a.targetFormat}, as it was`:"",!a&&i?i.format:""].filter(u=>u!==""),b=r===s?"":`now <bdi dir="ltr">${$(r)}</bdi>`,p=[...l.map(m),b].filter(u=>u!=="").join(" · "),h=pe(e,o),g=`${h?be(h):""}${$e(e,o)}`;return`<article id="${d}" aria-labelledby="${d}-name">
<header><h3 id="${d}-name"><bdi dir="ltr">${$(s)}</bdi></h3><p>${F(x(e,o),z(e,o))}</p></header>
${p===""?"":`<p class="what">${p}</p>
`}${fe(e)}${h?ge(h,e,d,o):""}${g===""?"":`<div class="below${h?"":" alone"}">
${g}</div>
`}${ye(e,t)}</article>
`}function fe(e){if(!e.failure)return"";let{message:t,advice:n}=e.failure,o=E(e),s=o.slice(0,M).map(i=>`<li>${m(i)}</li>`),r=o.length>M?`<li>${o.length-M} more</li>`:"",a=s.length>0?`<ul>${s.join("")}${r}</ul>`:"";return`<div class="wrong"><p>${m(t)}</p>${a}${n===""?"":`<p>${m(n)}</p>`}</div>
`}function pe(e,t){let{report:n}=e,o=P(e,t);return o&&{...o,isUnmoved:n?.bytesMoved===0&&n.bytesSettled===0}}function ge(e,{image:t,report:n,check:o},s,r){let{before:a,after:i}=e,d=(p,h,g)=>`<div class="label"><span><b>${p}</b> ${m(h)}</span><span>${v(g)}</span></div>
`,[c,l]=[i?"Before":"Now",r?"As planned":"After"],b=n?.sourceFormat??o?.format??"";return`<figure>
${d(c,b,a.fileSize)}${Z(e,s,t)}
${n&&i?d(l,n.targetFormat,i.fileSize):""}${n&&i?`<figcaption>${m(he(n,r))}</figcaption>`:""}</figure>
`}function he({guestDataBytes:e,bytesMoved:t,bytesWritten:n,bytesSettled:o},s){let[r,a]=s?["would stay where it lies","would be"]:["stayed where it was","were"],i=Math.max(0,e-t);return`${t===0&&o===0?`All ${v(e)} of guest data ${r}`:t===0?`Guest data ${r}, but for what filled holes as the old format's space was given back`:`${v(i)} of guest data ${r}, ${v(t)} moved`}. ${v(n)} ${a} written in all.`}function be(e){let{before:t,after:n,isUnmoved:o}=e,s=l=>`<td class="number">${l===0?"–":v(l)}</td>`,a=Object.keys(C).filter(l=>t.bytes[l]+(n?.bytes[l]??0)>0).map(l=>`<tr><th scope="row">${L(l)}${C[l]}</th>${s(t.bytes[l])}${n?s(n.bytes[l]):""}</tr>
`),i=n?N(t,n,o).moved.reduce((l,{start:b,end:p})=>l+p-b,0):0,d=i>0?`<tr><th scope="row">${L("moved")}Of it moved here</th><td></td>${s(i)}</tr>
`:"";return`<table class="legend"><thead><tr><th scope="col">Space in the file</th>${[n?"Before":"Size",...n?["After"]:[]].map(l=>`<th scope="col" class="number">${l}</th>`).join("")}</tr></thead>
<tbody>
${a.join("")}${d}</tbody></table>
`}function $e(e,t){let{report:n,check:o,recovery:s,download:r,notes:a}=e,d=[...n?ve(n,t):[],...o?we(o):[],["Before that",m(s??"")],["From",r?`${$(r.url)}<br>${$(r.digest)}`:""],["Noted",[...n?.notes??[],...a??[]].map(m).join("<br>")]].filter(([,c])=>c!=="").map(([c,l])=>`<dt>${c}</dt><dd>${l}</dd>
`);return d.length===0?"":`<dl class="facts">
${d.join("")}</dl>
`}function ve(e,t){let{guestChecksum:n,bytesWritten:o,guestDataBytes:s,syncs:r,virtualSize:a,clusterSize:i}=e,d=n?.before??null,c=n?.after??null,l=n?.covers==="layer"?", without the backing file":"",b=c===d?", the same before and after":"",p=k(e,t)?[]:[["Written",`${t?"at most ":""}${v(o)}${t?"":` in ${w(r,"sync")}`}`],["A copy would be",v(s)],["Extra disk space",`at most ${v(e.peakExtraBytes)}`],["Left behind",m(e.dropped.join(", "))]];return[["Guest's disk",`${v(a)}, clusters of ${v(i)}`],...p,["Check",m(_(e))],["Took",S(e)],["Guest checksum",d===null?"":`${$(d)}<br>${m(`${n?.algorithm}${l}${b}`)}`],["Checksum after",c===null||c===d?"":$(c)]]}function we(e){let{allocatedClusters:t,totalClusters:n,fragmentedClusters:o,compressedClusters:s,leaksFixed:r,corruptionsFixed:a}=e,i=l=>l.toLocaleString("en-US"),d={corruptions:a,leaks:r,checkErrors:0,warnings:0},c=`${i(t)} of ${i(n)} allocated, ${i(o)} fragmented, ${i(s)} compressed`;return[["Repaired",r+a===0?"":m(B(d))],["Not repaired",e.losses.map(m).join("<br>")],["Given up",e.givenUp.map(m).join("<br>")],["Clusters",t===0||n===0?"":c],["Written",e.changed?`${v(e.bytesWritten)} in ${w(e.syncs,"sync")}`:""],["Took",S(e)],["Check's notes",e.notes.map(m).join("<br>")]]}function ye(e,{maxFindings:t}){let n=W(e);if(n.length===0)return"";let o=n.slice(0,t).map(({severity:l,structure:b,hostOffset:p,message:h})=>{let g=`${m(b)}${p===void 0?"":` at ${$(ue(p))}`}`;return`<tr><td>${l}</td><td>${g}</td><td>${m(h)}</td></tr>
`}),s='<thead><tr><th scope="col">Finding</th><th scope="col">Where</th><th scope="col">What</th></tr></thead>',r=l=>`<table class="findings">${s}
<tbody>
${l.join("")}</tbody></table>
`,a=o.slice(te),i=n.length-o.length,d=i>0?`<p class="quiet">${i.toLocaleString("en-US")} more in the JSON report</p>
`:"",c=a.length>0?`<details><summary>${w(a.length,"more finding")}</summary>${r(a)}</details>
`:"";return`<h4>What the check found, the worst first</h4>
${r(o.slice(0,te))}${c}${d}`}import{formatSize as xe}from"./index.mjs";var oe=5e3,Se=300,ke=e=>[{name:e?"To write":"Written",isNumber:!0,of:(t,n)=>re(t,n,"bytesWritten")},{name:"Instead of",isNumber:!0,of:(t,n)=>re(t,n,"guestDataBytes")},{name:"Checksum",of:({report:t})=>t?m(H(t)):""},{name:"Check",of:({report:t})=>t?m(G(t)):""},{name:"Took",isNumber:!0,of:({report:t})=>t?S(t):""}],Re=[{name:"Format",of:({check:e})=>m(e?.format??"")},{name:"Corruptions",isNumber:!0,of:e=>ae(e,"corruptions")},{name:"Leaks",isNumber:!0,of:e=>ae(e,"leaks")},{name:"Repaired",isNumber:!0,of:({check:e})=>{let t=e?e.corruptionsFixed+e.leaksFixed:0;return t>0?t.toLocaleString("en-US"):""}},{name:"Took",isNumber:!0,of:({check:e})=>e?S(e):""}];function se(e,t){let n=e.results.map((a,i)=>({result:a,index:i})),o=n.filter(({result:a})=>T(a,e)),s=n.filter(({result:a})=>!T(a,e)),r=(a,i,d)=>{if(a.length===0)return"";let c=i.filter(g=>a.some(({result:u})=>g.of(u,e.dryRun)!=="")),l=c.map(({name:g,isNumber:u})=>`<th scope="col"${u?' class="number"':""}>${g}</th>`),b=a.slice(0,oe).map(({result:g,index:u})=>{let y=c.map(A=>je(A,A.of(g,e.dryRun)));return ze(g,u,y,e.dryRun,t(g))}),p=a.length-oe,h=p>0?`<p class="quiet">${w(p,"more image")} in the JSON report</p>
`:"";return`<table class="overview"><caption>${d}</caption><thead><tr><th scope="col">Image</th><th scope="col">Result</th>${l.join("")}</tr></thead>
<tbody>
${b.join("")}</tbody></table>
${h}`};return r(s,ke(e.dryRun),`${w(s.length,"image")}: ${e.dryRun?"what would be":"what was"} written, and what a copy would be`)+r(o,Re,`${w(o.length,"image")} checked, counts in clusters`)}function ie({matrix:e}){if(!e||e.include.length===0)return"";let t=e.include.map(({shard:n,images:o})=>{let s=o.split(`
`),r=s.slice(0,3).map($).join("<br>"),a=s.length>3?`<br><span class="quiet">and ${s.length-3} more</span>`:"";return`<tr><td>${n}</td><td class="number">${s.length}</td><td>${r}${a}</td></tr>
`});return`<h2>Jobs</h2>
<table class="jobs"><caption>${w(t.length,"job")} of the matrix</caption><thead><tr><th scope="col">Job</th><th scope="col" class="number">Images</th><th scope="col">Which</th></tr></thead>
<tbody>
${t.join("")}</tbody></table>
`}function ze(e,t,n,o,s){let{image:r,path:a,failure:i}=e,d=`<bdi dir="ltr">${$(r)}</bdi>`,c=a===r?"":`<span class="now">now <bdi dir="ltr">${$(a)}</bdi></span>`,l=i&&!s?`<span class="now">${m(K(i.message,Se," …"))}</span>`:"";return`<tr><td>${s?`<a href="#image-${t}">${d}</a>`:d}${c}${l}</td><td data-name="Result">${F(x(e,o),z(e,o))}</td>${n.join("")}</tr>
`}function je({name:e,isNumber:t},n){return`<td${t?' class="number"':""} data-name="${e}">${n}</td>`}function re({report:e},t,n){return e&&!k(e,t)?xe(e[n]):""}function ae(e,t){return O(e)?.[t].toLocaleString("en-US")??""}var le=`
:root {
  color-scheme: light dark;
  --paper: #f7f7f5; --card: #ffffff; --ink: #1c2126; --muted: #5a646d; --line: #dcdfe2;
  --accent: #0b6b74; --soft: #cfe5e6; --tables: #5d6872; --bad: #a8261c; --doubt: #7d5200;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  color: var(--ink); background: var(--paper);
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #111416; --card: #181c1f; --ink: #e4e8eb; --muted: #9ba6af; --line: #2e353a;
    --accent: #56bec7; --soft: #1d4246; --tables: #98a4ae; --bad: #ff9184; --doubt: #e5b75f;
  }
}
*, *::before { box-sizing: border-box; }
body { margin: 0; }
header.page, main, footer { max-width: 70rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
header.page { padding-top: clamp(2rem, 6vw, 4rem); }
.eyebrow { margin: 0; color: var(--accent); font-weight: 600; font-size: .875rem; letter-spacing: .02em; }
h1 { margin: .4rem 0 .6rem; font-size: clamp(1.5rem, 1.1rem + 2vw, 2.25rem); line-height: 1.2; letter-spacing: -.02em; font-weight: 650; max-width: 28em; text-wrap: balance; }
h2 { margin: 3rem 0 1rem; font-size: 1.25rem; letter-spacing: -.01em; font-weight: 650; }
h3 { margin: 0; font-size: 1.0625rem; font-weight: 600; line-height: 1.4; }
h4 { margin: 1.75rem 0 .5rem; font-size: .9375rem; font-weight: 600; }
p { margin: 0 0 .75rem; max-width: 70ch; }
.lede { font-size: 1.0625rem; color: var(--muted); }
a { color: var(--accent); text-underline-offset: .2em; text-decoration-thickness: 1px; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 2px; }
code { font: .9375em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1.25rem 2rem; margin: 1.75rem 0 0; padding: 1.25rem 0; border: solid var(--line); border-width: 1px 0; }
.totals dt { color: var(--muted); font-size: .875rem; }
.totals dd { margin: .1rem 0 0; font-size: 1.5rem; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); font-size: .875rem; padding-bottom: .5rem; }
th, td { padding: .55rem 1.25rem .55rem 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-size: .8125rem; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.overview td:first-child { min-width: 13rem; }
.jobs th:first-child { width: 4rem; }
.jobs .number { width: 6rem; padding-right: 2rem; }
.now, .quiet { color: var(--muted); }
.now { display: block; font-weight: 400; font-size: .875rem; }
.status { white-space: nowrap; font-weight: 600; }
.sign { display: inline-block; width: 1.35em; height: 1.35em; margin-right: .45em; border: 1.5px solid; border-radius: 50%; font-size: .8em; font-weight: 700; line-height: 1.2em; text-align: center; vertical-align: .06em; }
.status.good { color: var(--accent); }
.status.doubtful { color: var(--doubt); }
.status.bad { color: var(--bad); }
.status.open { color: var(--muted); }
.doubtful .sign { border-radius: 18%; rotate: 45deg; }
.doubtful .sign b { display: block; rotate: -45deg; }
.bad .sign { border-radius: 15%; background: var(--bad); border-color: var(--bad); color: var(--card); }
article { margin: 0 0 1.25rem; padding: clamp(1.1rem, 3vw, 1.75rem); background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
article > header { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; justify-content: space-between; align-items: baseline; }
article > header p { margin: 0; }
.what { margin: .15rem 0 0; color: var(--muted); }
.wrong { margin: 1.1rem 0 0; padding: .1rem 0 .1rem 1rem; border-left: 3px solid var(--bad); }
.wrong p, .wrong ul { margin: .35rem 0; overflow-wrap: anywhere; }
.wrong ul { padding-left: 1.1rem; }
figure { margin: 1.4rem 0 0; }
.label { display: flex; justify-content: space-between; gap: 1rem; font-size: .875rem; color: var(--muted); margin: .35rem 0; font-variant-numeric: tabular-nums; }
.label b { color: var(--ink); font-weight: 600; }
figure svg { display: block; width: 100%; height: 6.5rem; overflow: visible; }
figure svg.single { height: 2.5rem; }
figcaption { margin-top: .6rem; color: var(--muted); font-size: .9375rem; max-width: 70ch; }
.file { fill: var(--paper); stroke: var(--muted); }
.header, .tables, .file { stroke-width: 1px; vector-effect: non-scaling-stroke; }
figure .header, figure .tables { stroke-width: 2px; }
.header { fill: var(--ink); stroke: var(--ink); }
.tables { fill: var(--tables); stroke: var(--tables); }
.data, .compressed { fill: var(--accent); }
.moved { fill: var(--ink); }
.stays { fill: var(--soft); }
.below { display: grid; grid-template-columns: minmax(17rem, 24rem) minmax(0, 1fr); gap: 1.25rem 3rem; margin-top: 1.25rem; align-items: start; }
.below.alone { grid-template-columns: minmax(0, 1fr); }
.legend { font-size: .875rem; }
.legend th, .legend td { padding-top: .35rem; padding-bottom: .35rem; }
.legend svg { width: 1.25rem; height: .875rem; margin-right: .6rem; vertical-align: -.08rem; }
dl.facts { display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); margin: 0; font-size: .9375rem; font-variant-numeric: tabular-nums; }
dl.facts dt, dl.facts dd { padding: .3rem 0; }
dl.facts dt { color: var(--muted); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
dl.facts code { font-size: .8125rem; }
details { margin-top: .5rem; }
summary { cursor: pointer; color: var(--accent); padding: .5rem 0; font-size: .9375rem; }
.findings td:first-child { white-space: nowrap; font-weight: 600; }
.findings td { overflow-wrap: anywhere; }
footer { margin-top: 3rem; padding-bottom: 3rem; color: var(--muted); font-size: .875rem; }
@media (max-width: 46rem) {
  .below { grid-template-columns: minmax(0, 1fr); }
  dl.facts { grid-template-columns: minmax(0, 1fr); }
  dl.facts dt { padding-bottom: 0; font-size: .875rem; }
  dl.facts dd { padding-top: 0; }
  .overview thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .overview, .overview tbody, .overview tr, .overview td { display: block; width: auto; }
  .overview tr { padding: .8rem 0; border-bottom: 1px solid var(--line); }
  .overview td { display: flex; justify-content: space-between; gap: 1.5rem; padding: .15rem 0; border: 0; text-align: right; white-space: normal; }
  .overview caption { display: block; }
  .overview td:first-child { display: block; text-align: left; font-weight: 600; }
  .overview .status { white-space: normal; }
  .overview td:empty { display: none; }
  .overview td[data-name]::before { content: attr(data-name); color: var(--muted); text-align: left; }
  .findings thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .findings, .findings tbody, .findings tr, .findings td { display: block; }
  .findings tr { padding: .6rem 0; border-bottom: 1px solid var(--line); }
  .findings td { padding: 0; border: 0; }
}
@media print {
  :root { --paper: #fff; }
  article { break-inside: avoid; }
}
`;var Fe=100,Te=["bad","doubtful","good"],Ie={convert:"In-place conversion",check:"Consistency check",plan:"Plan of a conversion",collect:"Reports of all jobs"};function ct(e){let{results:t,dryRun:n,mode:o}=e,s=U(e),r=t.map((u,y)=>({result:u,index:y})),i=Te.flatMap(u=>r.filter(({result:y})=>x(y,n)===u)).slice(0,Fe),d=new Set(i.map(({result:u})=>u)),c=t.length<=3?200:t.length<=20?50:10,l=i.map(({result:u,index:y})=>ne(u,{index:y,dryRun:n,maxFindings:c})),b=t.length>1?`<h2>Images</h2>
${se(e,u=>d.has(u))}`:"",p=t.length>1&&l.length>0?`<h2>One by one</h2>
`:"",h=t.length-i.length,g=h>0?`<p class="quiet">The other ${h.toLocaleString("en-US")} are in the table above alone.</p>
`:"";return`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${m(s)}</title>
<style>${le}</style>
</head>
<body>
<header class="page">
<p class="eyebrow">${Ie[o]}</p>
<h1>${m(s).replaceAll(/(\d) /g,"$1&nbsp;")}</h1>
${Le(e)}${Ne(e)}</header>
<main>
${ie(e)}${b}${p}${t.length===1?`<h2>The image</h2>
`:""}${l.join("")}${g}</main>
<footer><p>Made by inplace-convert. Pictures are to scale; header and tables are widened to a line where they would be less.</p></footer>
</body>
</html>
`}function Le(e){let t=q(e);return t===""?"":`<p class="lede">${m(t)}.</p>
`}function Ne(e){let{count:t,written:n,copied:o,moved:s,extra:r}=D(e);return t===0?"":`<dl class="totals">${[[e.dryRun?"To write at most":"Written",n],["A copy would write",o],["Guest data moved",s],["Extra disk at most",r]].map(([d,c])=>`<div><dt>${d}</dt><dd>${Ce(c)}</dd></div>`).join("")}</dl>
`}export{Fe as MAX_SECTIONS,ct as pageOf};
