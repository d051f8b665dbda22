import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{a as P,b as D,e as x,f as j,g as N,h as G,i as _,j as k,k as q,m as S,n as H,o as J,p as X,q as Y,r as c,s as $}from"./chunk-2V4KDAXP.mjs";import{b as W,c as v,k as z,l as E,q as U,r as B,v as K}from"./chunk-FNE6W2WM.mjs";import"./chunk-SK4OSHWS.mjs";import"./chunk-LCWAVF6U.mjs";import{formatSize as Ne}from"./index.mjs";import{formatSize as w,hex as ge}from"./index.mjs";import{formatSize as V}from"./index.mjs";var te=1e4,f=36,C=32,T={header:"Header",tables:"Tables",data:"Guest data",compressed:"Compressed data",free:"Free"},ue=["data","compressed","tables","header"];function ne({before:e,after:t,isUnmoved:n},o,i){let r=Math.max(e.fileSize,t?.fileSize??0,1),a=[Q(e,r,0)];if(t){let{stayed:m,moved:l}=M(e,t,n);a.push(R("stays",m,r,f,C),Q(t,r,f+C)),a.push(R("moved",l,r,f+C,f/4))}let s=t?2*f+C:f,d=t?`Before: ${I(e)}. After: ${I(t)}.`:`${I(e)}.`;return`<svg${t?"":' class="single"'} viewBox="0 0 ${te} ${s}" preserveAspectRatio="none" role="img" aria-labelledby="${o}-title ${o}-desc"><title id="${o}-title">Where things lie in ${c(i)}</title><desc id="${o}-desc">${d}</desc>${a.join("")}</svg>`}function L(e){let[t,n]=e==="compressed"?[f/2,f/2]:[0,f],o=e==="moved"?`<path class="data" d="M0 0h50v${f}h-50z"/><path class="moved" d="M0 0h50v${f/4}h-50z"/>`:e==="free"?"":`<path class="${e}" d="M0 ${t}h50v${n}h-50z"/>`,i=`<path class="file" d="M0 0h50v${f}h-50z"/>`;return`<svg viewBox="0 0 50 ${f}" preserveAspectRatio="none" aria-hidden="true">${i}${o}</svg>`}function M(e,t,n){let[o,i]=[Z(e),Z(t)];if(!e.isExact||!t.isExact)return{stayed:n?o:[],moved:[]};let r=i.flatMap(s=>ee(o,s)),a=i.flatMap(s=>fe(ee(o,s),s));return{stayed:r,moved:n?[]:a}}function Q(e,t,n){let o=R("file",[{start:0,end:e.fileSize}],t,n,f),i=ue.map(r=>{let a=e.runs.filter(s=>s.kind===r).map(oe);return r==="compressed"?R(r,a,t,n+f/2,f/2):R(r,a,t,n,f)});return[o,...i].join("")}function R(e,t,n,o,i){let r=s=>Math.round(s/n*te),a=t.map(({start:s,end:d})=>{let m=r(d)-r(s);return`M${r(s)} ${o}h${m}v${i}h-${m}z`});return a.length===0?"":`<path class="${e}" d="${a.join("")}"/>`}function I(e){let n=Object.entries(T).flatMap(([o,i])=>e.bytes[o]>0?[`${i.toLowerCase()} ${V(e.bytes[o])}`]:[]);return`${V(e.fileSize)}, of it ${n.join(", ")}`}function oe({start:e,length:t}){return{start:e,end:e+t}}function Z({runs:e}){return e.filter(({kind:t})=>t==="data"||t==="compressed").map(oe)}function ee(e,{start:t,end:n}){return e.map(o=>({start:Math.max(o.start,t),end:Math.min(o.end,n)})).filter(o=>o.end>o.start)}function fe(e,{start:t,end:n}){let o=[t,...e.flatMap(r=>[r.start,r.end]),n];return Array.from({length:o.length/2},(r,a)=>({start:o[2*a],end:o[2*a+1]})).filter(r=>r.end>r.start)}var pe={good:"✓",doubtful:"!",bad:"✕",open:"…"};function F(e,t){return`<span class="status ${e}"><span class="sign" aria-hidden="true"><b>${pe[e]}</b></span>${c(t)}</span>`}var re=10,O=50;function ae(e,t){let{index:n,dryRun:o}=t,{image:i,report:r,check:a}=e,s=z(e),d=`image-${n}`,m=r&&!k(r,o),l=[m?`${r.sourceFormat} → ${r.targetFormat}, ${o?"as planned":"in place"}`:"",!m&&r?`${r.targetFormat}, as it was`:"",!r&&a?a.format:""].filter(u=>u!==""),b=s===void 0?"":`now <bdi dir="ltr">${$(s)}</bdi>`,p=[...l.map(c),b].filter(u=>u!=="").join(" · "),g=be(e,o),h=`${g?ve(g):""}${ye(e,o)}`;return`<article id="${d}" aria-labelledby="${d}-name">
<header><h3 id="${d}-name"><bdi dir="ltr">${$(i)}</bdi></h3><p>${F(x(e,o),j(e,o))}</p></header>
${p===""?"":`<p class="what">${p}</p>
`}${he(e)}${g?$e(g,e,d,o):""}${h===""?"":`<div class="below${g?"":" alone"}">
${h}</div>
`}${ke(e,t)}</article>
`}function he(e){if(!e.failure)return"";let{message:t,advice:n}=e.failure,o=B(e),i=o.slice(0,O).map(s=>`<li>${c(s)}</li>`),r=o.length>O?`<li>${o.length-O} more</li>`:"",a=i.length>0?`<ul>${i.join("")}${r}</ul>`:"";return`<div class="wrong"><p>${c(t)}</p>${a}${n===""?"":`<p>${c(n)}</p>`}</div>
`}function be(e,t){let{report:n}=e,o=_(e,t);return o&&{...o,isUnmoved:n?.bytesMoved===0&&n.bytesSettled===0}}function $e(e,{image:t,report:n,check:o},i,r){let{before:a,after:s}=e,d=(p,g,h)=>`<div class="label"><span><b>${p}</b> ${c(g)}</span><span>${w(h)}</span></div>
`,[m,l]=[s?"Before":"Now",r?"As planned":"After"],b=n?.sourceFormat??o?.format??"";return`<figure>
${d(m,b,a.fileSize)}${ne(e,i,t)}
${n&&s?d(l,n.targetFormat,s.fileSize):""}${n&&s?`<figcaption>${c(we(n,r))}</figcaption>`:""}</figure>
`}function we({guestDataBytes:e,bytesMoved:t,bytesWritten:n,bytesSettled:o},i){let[r,a]=i?["would stay where it lies","would be"]:["stayed where it was","were"],s=Math.max(0,e-t);return`${t===0&&o===0?`All ${w(e)} of guest data ${r}`:t===0?`Guest data ${r}, but for what filled holes as the old format's space was given back`:`${w(s)} of guest data ${r}, ${w(t)} moved`}. ${w(n)} ${a} written in all.`}function ve(e){let{before:t,after:n,isUnmoved:o}=e,i=l=>`<td class="number">${l===0?"–":w(l)}</td>`,a=Object.keys(T).filter(l=>t.bytes[l]+(n?.bytes[l]??0)>0).map(l=>`<tr><th scope="row">${L(l)}${T[l]}</th>${i(t.bytes[l])}${n?i(n.bytes[l]):""}</tr>
`),s=n?M(t,n,o).moved.reduce((l,{start:b,end:p})=>l+p-b,0):0,d=s>0?`<tr><th scope="row">${L("moved")}Of it moved here</th><td></td>${i(s)}</tr>
`:"";return`<table class="legend"><thead><tr><th scope="col">Space in the file</th>${[n?"Before":"Size",...n?["After"]:[]].map(l=>`<th scope="col" class="number">${l}</th>`).join("")}</tr></thead>
<tbody>
${a.join("")}${d}</tbody></table>
`}function ye(e,t){let{report:n,check:o,recovery:i,download:r,notes:a}=e,d=[...n?xe(n,t):[],...o?Se(o):[],["Before that",c(i??"")],["From",r?`${$(r.url)}<br>${$(r.digest)}`:""],["Noted",[...n?.notes??[],...a??[]].map(c).join("<br>")]].filter(([,m])=>m!=="").map(([m,l])=>`<dt>${m}</dt><dd>${l}</dd>
`);return d.length===0?"":`<dl class="facts">
${d.join("")}</dl>
`}function xe(e,t){let{guestChecksum:n,bytesWritten:o,guestDataBytes:i,syncs:r,virtualSize:a,clusterSize:s}=e,d=n?.before??null,m=P(e),l=n?.after??null,b=n?.covers==="layer"?", without the backing file":"",p=l===d?", the same before and after":"",g=k(e,t)?[]:[["Written",`${t?"at most ":""}${w(o)}${t?"":` in ${v(r,"sync")}`}`],["A copy would be",w(i)],["Extra disk space",`at most ${w(e.peakExtraBytes)}`],["Left behind",c(e.dropped.join(", "))],["Leaks given up",m?c(D(m)):""]];return[["Guest's disk",`${w(a)}, clusters of ${w(s)}`],...g,["Check",c(H(e))],["Took",S(e)],["Guest checksum",d===null?"":`${$(d)}<br>${c(`${n?.algorithm}${b}${p}`)}`],["Checksum after",l===null||l===d?"":$(l)]]}function Se(e){let{allocatedClusters:t,totalClusters:n,fragmentedClusters:o,compressedClusters:i,leaksFixed:r,corruptionsFixed:a}=e,s=l=>l.toLocaleString("en-US"),d={corruptions:a,leaks:r,checkErrors:0,warnings:0},m=`${s(t)} of ${s(n)} allocated, ${s(o)} fragmented, ${s(i)} compressed`;return[["Repaired",r+a===0?"":c(W(d))],["Not repaired",e.losses.map(c).join("<br>")],["Given up",e.givenUp.map(c).join("<br>")],["Clusters",t===0||n===0?"":m],["Written",e.changed?`${w(e.bytesWritten)} in ${v(e.syncs,"sync")}`:""],["Took",S(e)],["Check's notes",e.notes.map(c).join("<br>")]]}function ke(e,{maxFindings:t}){let n=U(e);if(n.length===0)return"";let o=n.slice(0,t).map(({severity:l,structure:b,hostOffset:p,message:g})=>{let h=`${c(b)}${p===void 0?"":` at ${$(ge(p))}`}`;return`<tr><td>${l}</td><td>${h}</td><td>${c(g)}</td></tr>
`}),i='<thead><tr><th scope="col">Finding</th><th scope="col">Where</th><th scope="col">What</th></tr></thead>',r=l=>`<table class="findings">${i}
<tbody>
${l.join("")}</tbody></table>
`,a=o.slice(re),s=n.length-o.length,d=s>0?`<p class="quiet">${s.toLocaleString("en-US")} more in the JSON report</p>
`:"",m=a.length>0?`<details><summary>${v(a.length,"more finding")}</summary>${r(a)}</details>
`:"";return`<h4>What the check found, the worst first</h4>
${r(o.slice(0,re))}${m}${d}`}import{formatSize as Re}from"./index.mjs";var se=5e3,ze=300,je=e=>[{name:e?"To write":"Written",isNumber:!0,of:(t,n)=>ie(t,n,"bytesWritten")},{name:"Instead of",isNumber:!0,of:(t,n)=>ie(t,n,"guestDataBytes")},{name:"Checksum",of:({report:t})=>t?c(Y(t)):""},{name:"Check",of:({report:t})=>t?c(J(t)):""},{name:"Took",isNumber:!0,of:({report:t})=>t?S(t):""}],Ce=[{name:"Format",of:({check:e})=>c(e?.format??"")},{name:"Corruptions",isNumber:!0,of:e=>le(e,"corruptions")},{name:"Leaks",isNumber:!0,of:e=>le(e,"leaks")},{name:"Repaired",isNumber:!0,of:({check:e})=>{let t=e?e.corruptionsFixed+e.leaksFixed:0;return t>0?t.toLocaleString("en-US"):""}},{name:"Took",isNumber:!0,of:({check:e})=>e?S(e):""}];function de(e,t){let n=e.results.map((a,s)=>({result:a,index:s})),o=n.filter(({result:a})=>N(a,e)),i=n.filter(({result:a})=>!N(a,e)),r=(a,s,d)=>{if(a.length===0)return"";let m=s.filter(h=>a.some(({result:u})=>h.of(u,e.dryRun)!=="")),l=m.map(({name:h,isNumber:u})=>`<th scope="col"${u?' class="number"':""}>${h}</th>`),b=a.slice(0,se).map(({result:h,index:u})=>{let y=m.map(A=>Fe(A,A.of(h,e.dryRun)));return Te(h,u,y,e.dryRun,t(h))}),p=a.length-se,g=p>0?`<p class="quiet">${v(p,"more image")} in the JSON report</p>
`:"";return`<table class="overview"><caption>${d}</caption><thead><tr><th scope="col">Image</th><th scope="col">Result</th>${l.join("")}</tr></thead>
<tbody>
${b.join("")}</tbody></table>
${g}`};return r(i,je(e.dryRun),`${v(i.length,"image")}: ${e.dryRun?"what would be":"what was"} written, and what a copy would be`)+r(o,Ce,`${v(o.length,"image")} checked, counts in clusters`)}function ce({matrix:e}){if(!e||e.include.length===0)return"";let t=e.include.map(({shard:n,images:o})=>{let i=o.split(`
`),r=i.slice(0,3).map($).join("<br>"),a=i.length>3?`<br><span class="quiet">and ${i.length-3} more</span>`:"";return`<tr><td>${n}</td><td class="number">${i.length}</td><td>${r}${a}</td></tr>
`});return`<h2>Jobs</h2>
<table class="jobs"><caption>${v(t.length,"job")} of the matrix</caption><thead><tr><th scope="col">Job</th><th scope="col" class="number">Images</th><th scope="col">Which</th></tr></thead>
<tbody>
${t.join("")}</tbody></table>
`}function Te(e,t,n,o,i){let{image:r,failure:a}=e,s=z(e),d=`<bdi dir="ltr">${$(r)}</bdi>`,m=s===void 0?"":`<span class="now">now <bdi dir="ltr">${$(s)}</bdi></span>`,l=a&&!i?`<span class="now">${c(K(a.message,ze," …"))}</span>`:"";return`<tr><td>${i?`<a href="#image-${t}">${d}</a>`:d}${m}${l}</td><td data-name="Result">${F(x(e,o),j(e,o))}</td>${n.join("")}</tr>
`}function Fe({name:e,isNumber:t},n){return`<td${t?' class="number"':""} data-name="${e}">${n}</td>`}function ie({report:e},t,n){return e&&!k(e,t)?Re(e[n]):""}function le(e,t){return E(e)?.[t].toLocaleString("en-US")??""}var me=`
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
`;var Ie=100,Le=["bad","doubtful","good"],Me={convert:"In-place conversion",check:"Consistency check",plan:"Plan of a conversion",collect:"Reports of all jobs"};function ht(e){let{results:t,dryRun:n,mode:o}=e,i=G(e),r=t.map((u,y)=>({result:u,index:y})),s=Le.flatMap(u=>r.filter(({result:y})=>x(y,n)===u)).slice(0,Ie),d=new Set(s.map(({result:u})=>u)),m=t.length<=3?200:t.length<=20?50:10,l=s.map(({result:u,index:y})=>ae(u,{index:y,dryRun:n,maxFindings:m})),b=t.length>1?`<h2>Images</h2>
${de(e,u=>d.has(u))}`:"",p=t.length>1&&l.length>0?`<h2>One by one</h2>
`:"",g=t.length-s.length,h=g>0?`<p class="quiet">The other ${g.toLocaleString("en-US")} are in the table above alone.</p>
`:"";return`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${c(i)}</title>
<style>${me}</style>
</head>
<body>
<header class="page">
<p class="eyebrow">${Me[o]}</p>
<h1>${c(i).replaceAll(/(\d) /g,"$1&nbsp;")}</h1>
${Oe(e)}${Ae(e)}</header>
<main>
${ce(e)}${b}${p}${t.length===1?`<h2>The image</h2>
`:""}${l.join("")}${h}</main>
<footer><p>Made by inplace-convert. Pictures are to scale; header and tables are widened to a line where they would be less.</p></footer>
</body>
</html>
`}function Oe(e){let t=e.dryRun?"Nothing was written":X(e);return t===""?"":`<p class="lede">${c(t)}.</p>
`}function Ae(e){let{count:t,written:n,copied:o,moved:i,extra:r}=q(e);return t===0?"":`<dl class="totals">${[[e.dryRun?"To write at most":"Written",n],["A copy would write",o],["Guest data moved",i],[t===1?"Extra disk at most":"Extra disk an image at most",r]].map(([d,m])=>`<div><dt>${d}</dt><dd>${Ne(m)}</dd></div>`).join("")}</dl>
`}export{Ie as MAX_SECTIONS,ht as pageOf};
