import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{A as v,B as I,a as _,b as q,e as k,f as F,g as O,h as J,i as X,j as C,k as Y,m as R,n as V,o as Q,p as Z,q as ee,r as te,s as ne,t as oe,u as re,v as o,w as ae,x as b,z as L}from"./chunk-EM3JOOQT.mjs";import{b as U,c as S,i as T,j as K,o as G,p as P,t as D}from"./chunk-APN23M3A.mjs";import"./chunk-DXIBYB74.mjs";import"./chunk-LCWAVF6U.mjs";import{formatSize as Pe}from"./index.mjs";import{changeTexts as Ce,formatSize as y,hex as ze}from"./index.mjs";import{formatSize as se}from"./index.mjs";var ce=1e4,h=36,N=32,M={header:"Header",tables:"Tables",data:"Guest data",compressed:"Compressed data",free:"Free"},Se=["data","compressed","tables","header"];function me({before:e,after:t,moved:n},r,l){let a=Math.max(e.fileSize,t?.fileSize??0,1),i=[ie(e,a,0)];if(t){let{stayed:f,moved:u}=j(e,t,n);i.push(z("stays",f,a,h,N),ie(t,a,h+N)),i.push(z("moved",u,a,h+N,h/4))}let s=t?2*h+N:h,d=t?`Before: ${A(e)}. After: ${A(t)}.`:`${A(e)}.`,m=o`<title id="${r}-title">Where things lie in ${l}</title>`,c=o`${t?"":o` class="single"`} viewBox="0 0 ${ce} ${s}" preserveAspectRatio="none" role="img"`;return o`<svg${c} aria-labelledby="${r}-title ${r}-desc">${m}<desc id="${r}-desc">${d}</desc>${i}</svg>`}function E(e){let[t,n]=e==="compressed"?[h/2,h/2]:[0,h],r=e==="moved"?o`<path class="data" d="M0 0h50v${h}h-50z"/><path class="moved" d="M0 0h50v${h/4}h-50z"/>`:e==="free"?"":o`<path class="${e}" d="M0 ${t}h50v${n}h-50z"/>`,l=o`<path class="file" d="M0 0h50v${h}h-50z"/>`;return o`<svg viewBox="0 0 50 ${h}" preserveAspectRatio="none" aria-hidden="true">${l}${r}</svg>`}function j(e,t,n){let[r,l]=[le(e),le(t)];if(n==="all")return{stayed:[],moved:l};let a=n==="none";if(!e.isExact||!t.isExact)return{stayed:a?r:[],moved:[]};let i=l.flatMap(d=>de(r,d)),s=l.flatMap(d=>ke(de(r,d),d));return{stayed:i,moved:a?[]:s}}function ie(e,t,n){let r=z("file",[{start:0,end:e.fileSize}],t,n,h),l=Se.map(a=>{let i=e.runs.filter(s=>s.kind===a).map(ue);return a==="compressed"?z(a,i,t,n+h/2,h/2):z(a,i,t,n,h)});return o`${[r,...l]}`}function z(e,t,n,r,l){let a=s=>Math.round(s/n*ce),i=t.map(({start:s,end:d})=>{let m=a(d)-a(s);return o`M${a(s)} ${r}h${m}v${l}h-${m}z`});return i.length===0?o``:o`<path class="${e}" d="${i}"/>`}function A(e){let n=Object.entries(M).flatMap(([r,l])=>e.bytes[r]>0?[`${l.toLowerCase()} ${se(e.bytes[r])}`]:[]);return`${se(e.fileSize)}, of it ${n.join(", ")}`}function ue({start:e,length:t}){return{start:e,end:e+t}}function le({runs:e}){return e.filter(({kind:t})=>t==="data"||t==="compressed").map(ue)}function de(e,{start:t,end:n}){return e.map(r=>({start:Math.max(r.start,t),end:Math.min(r.end,n)})).filter(r=>r.end>r.start)}function ke(e,{start:t,end:n}){let r=[t,...e.flatMap(a=>[a.start,a.end]),n];return Array.from({length:r.length/2},(a,i)=>({start:r[2*i],end:r[2*i+1]})).filter(a=>a.end>a.start)}var Re={good:"✓",doubtful:"!",bad:"✕",open:"…"};function H(e,t){return o`<span class="status ${e}"><span class="sign" aria-hidden="true"><b>${Re[e]}</b></span>${t}</span>`}var fe=10,W=50;function pe(e,t){let{index:n,dryRun:r}=t,{image:l,report:a,check:i}=e,s=T(e),d=`image-${n}`,m=a&&!C(a,r),c=[m?`${a.sourceFormat} → ${a.targetFormat}, ${r?"as planned":"in place"}`:"",!m&&a?`${a.targetFormat}, as it was`:"",!a&&i?i.format:""].filter(x=>x!==""),f=s===void 0?"":o`now <bdi dir="ltr">${b(s)}</bdi>`,u=L([...c,f].filter(x=>x!==""),o` · `),g=Fe(e,r),w=o`${g?Me(g):""}${He(e,r)}`;return o`${[o`<article id="${d}" aria-labelledby="${d}-name">\n<header><h3 id="${d}-name"><bdi dir="ltr">${b(l)}</bdi></h3>`,o`<p>${H(k(e,r),F(e,r))}</p></header>\n`,u.isEmpty?"":o`<p class="what">${u}</p>\n`,Te(e),g?Ie(g,e,d,r):"",w.isEmpty?"":o`<div class="below${g?"":" alone"}">\n${w}</div>\n`,Ee(e,t)]}</article>\n`}function Te(e){if(!e.failure)return"";let{message:t,advice:n}=e.failure,r=P(e),l=r.slice(0,W).map(s=>o`<li>${s}</li>`),a=r.length>W?o`<li>${r.length-W} more</li>`:"",i=l.length>0?o`<ul>${l}${a}</ul>`:"";return o`<div class="wrong"><p>${t}</p>${i}${n===""?"":o`<p>${n}</p>`}</div>\n`}function Fe(e,t){let{report:n}=e,r=X(e,t);return r&&{...r,moved:n===void 0?"some":Le(n)}}function Le({bytesMoved:e,bytesSettled:t,guestDataBytes:n}){return e+t===0?"none":e>=n?"all":"some"}function Ie(e,{image:t,report:n,check:r},l,a){let{before:i,after:s}=e,d=(g,w,x)=>o`<div class="label"><span><b>${g}</b> ${w}</span><span>${y(x)}</span></div>\n`,[m,c]=[s?"Before":"Now",a?"As planned":"After"],f=n?.sourceFormat??r?.format??"",u=n&&s?o`${d(c,n.targetFormat,s.fileSize)}<figcaption>${Ne(n,a)}</figcaption>`:"";return o`<figure>\n${d(m,f,i.fileSize)}${me(e,l,t)}\n${u}</figure>\n`}function Ne({guestDataBytes:e,bytesMoved:t,bytesWritten:n,bytesSettled:r},l){let[a,i]=l?["would stay where it lies","would be"]:["stayed where it was","were"],s=Math.max(0,e-t);return`${t===0&&r===0?`All ${y(e)} of guest data ${a}`:t===0?`Guest data ${a}, but for what filled holes as the old format's space was given back`:`${y(s)} of guest data ${a}, ${y(t)} moved`}. ${y(n)} ${i} written in all.`}function Me(e){let{before:t,after:n}=e,r=c=>o`<td class="number">${c===0?"–":y(c)}</td>`,a=Object.keys(M).filter(c=>t.bytes[c]+(n?.bytes[c]??0)>0).map(c=>o`<tr><th scope="row">${E(c)}${M[c]}</th>${r(t.bytes[c])}${n?r(n.bytes[c]):""}</tr>\n`),i=n?j(t,n,e.moved).moved.reduce((c,{start:f,end:u})=>c+u-f,0):0,s=i>0?o`<tr><th scope="row">${E("moved")}Of it moved here</th><td></td>${r(i)}</tr>\n`:"",d=[n?"Before":"Size",...n?["After"]:[]],m=o`<th scope="col">Space in the file</th>${d.map(c=>o`<th scope="col" class="number">${c}</th>`)}`;return o`<table class="legend"><thead><tr>${m}</tr></thead>\n<tbody>\n${a}${s}</tbody></table>\n`}function He(e,t){let{report:n,check:r,recovery:l,download:a,notes:i}=e,d=[...n?Oe(n,t):[],...r?Ae(r):[],["Before that",l??""],["From",a?v([b(a.url),b(a.digest)]):""],["Noted",v([...n?.notes??[],...i??[]])]].filter(([,m])=>!I(m)).map(([m,c])=>o`<dt>${m}</dt><dd>${c}</dd>\n`);return d.length===0?"":o`<dl class="facts">\n${d}</dl>\n`}function Oe(e,t){let{guestChecksum:n,bytesWritten:r,guestDataBytes:l,syncs:a,virtualSize:i}=e,s=n?.before??null,d=_(e),m=n?.after??null,c=n?.covers==="layer"?", without the backing file":"",f=m===s?", the same before and after":"",u=C(e,t)?[]:[["Steps",v(te(e))],["Way back",re(e,t)],["Written",`${t?"at most ":""}${y(r)} in ${t?"about ":""}${S(a,"sync")}`],["A copy would be",y(l)],["File",e.actualSizeBefore===void 0?"":oe(e)],["Extra disk space",`at most ${y(e.peakExtraBytes)}`],["Guest changed",v(Ce(e.guestChanges))],["Left behind",e.dropped.join(", ")],["Leaks given up",d?q(d):""]];return[[o`Guest's disk`,`${y(i)}${ne(e)}`],...u,["Check",V(e)],["Took",R(e)],["Guest checksum",s===null?"":v([b(s),`${n?.algorithm}${c}${f}`])],["Checksum after",m===null||m===s?"":b(m)]]}function Ae(e){let{allocatedClusters:t,totalClusters:n,fragmentedClusters:r,compressedClusters:l,leaksFixed:a,corruptionsFixed:i}=e,s=c=>c.toLocaleString("en-US"),d={corruptions:i,leaks:a,checkErrors:0,warnings:0},m=`${s(t)} of ${s(n)} allocated, ${s(r)} fragmented, ${s(l)} compressed`;return[["Repaired",a+i===0?"":U(d)],["Not repaired",v(e.losses)],["Given up",v(e.givenUp)],["Clusters",t===0||n===0?"":m],["Written",e.changed?`${y(e.bytesWritten)} in ${S(e.syncs,"sync")}`:""],["Took",R(e)],[o`Check's notes`,v(e.notes)]]}function Ee(e,{maxFindings:t}){let n=G(e);if(n.length===0)return"";let r=n.slice(0,t).map(({severity:c,structure:f,hostOffset:u,message:g})=>{let w=o`${f}${u===void 0?"":o` at ${b(ze(u))}`}`;return o`<tr><td>${c}</td><td>${w}</td><td>${g}</td></tr>\n`}),l=o`<thead><tr><th scope="col">Finding</th><th scope="col">Where</th><th scope="col">What</th></tr></thead>`,a=c=>o`<table class="findings">${l}\n<tbody>\n${c}</tbody></table>\n`,i=r.slice(fe),s=n.length-r.length,d=s>0?o`<p class="quiet">${s.toLocaleString("en-US")} more in the JSON report</p>\n`:"",m=i.length>0?o`<details><summary>${S(i.length,"more finding")}</summary>${a(i)}</details>\n`:"";return o`<h4>What the check found, the worst first</h4>\n${a(r.slice(0,fe))}${m}${d}`}import{formatSize as je}from"./index.mjs";var he=5e3,We=300,Be=e=>[{name:e?"To write":"Written",isNumber:!0,of:(t,n)=>ge(t,n,"bytesWritten")},{name:"Instead of",isNumber:!0,of:(t,n)=>ge(t,n,"guestDataBytes")},{name:"Checksum",of:({report:t})=>t?ee(t):""},{name:"Check",of:({report:t})=>t?Q(t):""},{name:"Took",isNumber:!0,of:({report:t})=>t?R(t):""}],Ue=[{name:"Format",of:({check:e})=>e?.format??""},{name:"Corruptions",isNumber:!0,of:e=>be(e,"corruptions")},{name:"Leaks",isNumber:!0,of:e=>be(e,"leaks")},{name:"Repaired",isNumber:!0,of:({check:e})=>{let t=e?e.corruptionsFixed+e.leaksFixed:0;return t>0?t.toLocaleString("en-US"):""}},{name:"Took",isNumber:!0,of:({check:e})=>e?R(e):""}];function $e(e,t){let n=e.results.map((s,d)=>({result:s,index:d})),r=n.filter(({result:s})=>O(s,e)),l=n.filter(({result:s})=>!O(s,e)),a=(s,d,m)=>{if(s.length===0)return"";let c=d.filter(p=>s.some(({result:$})=>!I(p.of($,e.dryRun)))),f=c.map(({name:p,isNumber:$})=>o`<th scope="col"${ye($)}>${p}</th>`),u=s.slice(0,he).map(({result:p,index:$})=>{let xe=c.map(B=>Ge(B,B.of(p,e.dryRun)));return Ke(p,$,xe,e.dryRun,t(p))}),g=s.length-he,w=g>0?o`<p class="quiet">${S(g,"more image")} in the JSON report</p>\n`:"",x=o`<tr><th scope="col">Image</th><th scope="col">Result</th>${f}</tr>`;return o`<table class="overview"><caption>${m}</caption><thead>${x}</thead>\n<tbody>\n${u}</tbody></table>\n${w}`},i=`${e.dryRun?"what would be":"what was"} written, and what a copy would be`;return o`${[a(l,Be(e.dryRun),`${S(l.length,"image")}: ${i}`),a(r,Ue,`${S(r.length,"image")} checked, counts in clusters`)]}`}function ve({matrix:e}){if(!e||e.include.length===0)return"";let t=e.include.map(({shard:l,images:a})=>{let i=a.split(`
`),s=v(i.slice(0,3).map(b)),d=i.length>3?o`<br><span class="quiet">and ${i.length-3} more</span>`:"";return o`<tr><td>${l}</td><td class="number">${i.length}</td><td>${s}${d}</td></tr>\n`}),n=`${S(t.length,"job")} of the matrix`,r=o`<tr><th scope="col">Job</th><th scope="col" class="number">Images</th><th scope="col">Which</th></tr>`;return o`<h2>Jobs</h2>\n<table class="jobs"><caption>${n}</caption><thead>${r}</thead>\n<tbody>\n${t}</tbody></table>\n`}function Ke(e,t,n,r,l){let{image:a,failure:i}=e,s=T(e),d=o`<bdi dir="ltr">${b(a)}</bdi>`,m=s===void 0?"":o`<span class="now">now <bdi dir="ltr">${b(s)}</bdi></span>`,c=i&&!l?o`<span class="now">${D(i.message,We," …")}</span>`:"",f=o`<td>${l?o`<a href="#image-${t}">${d}</a>`:d}${m}${c}</td>`,u=H(k(e,r),F(e,r));return o`<tr>${f}<td data-name="Result">${u}</td>${n}</tr>\n`}function Ge({name:e,isNumber:t},n){return o`<td${ye(t)} data-name="${e}">${n}</td>`}function ye(e=!1){return e?o` class="number"`:""}function ge({report:e},t,n){return e&&!C(e,t)?je(e[n]):""}function be(e,t){return K(e)?.[t].toLocaleString("en-US")??""}var we=o`
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
footer { margin-top: 3rem; overflow-wrap: anywhere; padding-bottom: 3rem; color: var(--muted); font-size: .875rem; }
@media (max-width: 62rem) {
  .below { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 46rem) {
  dl.facts { grid-template-columns: minmax(0, 1fr); }
  dl.facts dt { padding-bottom: 0; font-size: .875rem; }
  dl.facts dd { padding-top: 0; }
  .overview thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .overview, .overview tbody, .overview tr, .overview td { display: block; width: auto; }
  .overview tr { padding: .8rem 0; border-bottom: 1px solid var(--line); }
  .overview td { display: flex; justify-content: space-between; gap: 1.5rem; padding: .15rem 0; border: 0; text-align: right; white-space: normal; }
  .overview caption { display: block; }
  .overview td:first-child { display: block; text-align: left; font-weight: 600; }
  .status { white-space: normal; }
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
`;var De=100,_e=["bad","doubtful","good"],qe={convert:"In-place conversion",check:"Consistency check",plan:"Plan of a conversion",collect:"Reports of all jobs"};function Nt(e){let{results:t,dryRun:n,mode:r}=e,l=J(e),a=t.map((p,$)=>({result:p,index:$})),s=_e.flatMap(p=>a.filter(({result:$})=>k($,n)===p)).slice(0,De),d=new Set(s.map(({result:p})=>p)),m=t.length<=3?200:t.length<=20?50:10,c=s.map(({result:p,index:$})=>pe(p,{index:$,dryRun:n,maxFindings:m})),f=t.length>1?o`<h2>Images</h2>\n${$e(e,p=>d.has(p))}`:"",u=t.length>1&&c.length>0?o`<h2>One by one</h2>\n`:"",g=t.length-s.length,w=g>0?o`<p class="quiet">The other ${g.toLocaleString("en-US")} are in the table above alone.</p>\n`:"",x=o`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${l}</title>
<style>${we}</style>
</head>
<body>
<header class="page">
<p class="eyebrow">${qe[r]}</p>
<h1>${Xe(l)}</h1>
${Ye(e)}${Ve(e)}</header>
<main>
${ve(e)}${f}${u}${t.length===1?o`<h2>The image</h2>\n`:""}${c}${w}</main>
<footer><p>${Je(e)}. Pictures are to scale; header and tables are widened to a line where they would be less.</p></footer>
</body>
</html>
`;return String(x)}function Je({provenance:e}){let{tool:t,toolVersion:n,time:r,repository:l,commit:a,runId:i,runAttempt:s}=e,d=[...i?[`in run ${i}${s&&s!=="1"?`, attempt ${s}`:""}`]:[],...l?[`of ${l}`]:[],...a?[`at commit ${a.slice(0,12)}`]:[]];return[`Made by ${t} ${n} on ${r.slice(0,16).replace("T"," at ")} UTC`,...d].join(" ")}function Xe(e){return L(ae(e).split(/(?<=\d) /),o`&nbsp;`)}function Ye(e){let t=e.dryRun?"Nothing was written":Z(e);return t===""?"":o`<p class="lede">${t}.</p>\n`}function Ve(e){let{count:t,written:n,copied:r,moved:l,extra:a}=Y(e);if(t===0)return"";let s=[[e.dryRun?"To write at most":"Written",n],["A copy would write",r],["Guest data moved",l],[t===1?"Extra disk at most":"Extra disk an image at most",a]].map(([d,m])=>o`<div><dt>${d}</dt><dd>${Pe(m)}</dd></div>`);return o`<dl class="totals">${s}</dl>\n`}export{De as MAX_SECTIONS,Nt as pageOf};
