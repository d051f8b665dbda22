import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{A as I,a as _,b as q,e as k,f as F,g as O,h as J,i as X,j as C,k as Y,m as R,n as V,o as Q,p as Z,q as ee,r as te,s as ne,t as oe,u as re,v as n,w as ae,x as b,y as L,z as w}from"./chunk-YW3ULHGO.mjs";import{b as B,c as S,i as T,j as K,o as G,p as P,t as D}from"./chunk-APN23M3A.mjs";import"./chunk-DXIBYB74.mjs";import"./chunk-LCWAVF6U.mjs";import{formatSize as Ge}from"./index.mjs";import{changeTexts as Ce,formatSize as y,hex as ze}from"./index.mjs";import{formatSize as se}from"./index.mjs";var ce=1e4,g=36,N=32,M={header:"Header",tables:"Tables",data:"Guest data",compressed:"Compressed data",free:"Free"},Se=["data","compressed","tables","header"];function me({before:e,after:t,isUnmoved:o},r,l){let s=Math.max(e.fileSize,t?.fileSize??0,1),i=[ie(e,s,0)];if(t){let{stayed:m,moved:f}=j(e,t,o);i.push(z("stays",m,s,g,N),ie(t,s,g+N)),i.push(z("moved",f,s,g+N,g/4))}let a=t?2*g+N:g,d=t?`Before: ${A(e)}. After: ${A(t)}.`:`${A(e)}.`,c=n`<title id="${r}-title">Where things lie in ${l}</title>`,u=n`${t?"":n` class="single"`} viewBox="0 0 ${ce} ${a}" preserveAspectRatio="none" role="img"`;return n`<svg${u} aria-labelledby="${r}-title ${r}-desc">${c}<desc id="${r}-desc">${d}</desc>${i}</svg>`}function E(e){let[t,o]=e==="compressed"?[g/2,g/2]:[0,g],r=e==="moved"?n`<path class="data" d="M0 0h50v${g}h-50z"/><path class="moved" d="M0 0h50v${g/4}h-50z"/>`:e==="free"?"":n`<path class="${e}" d="M0 ${t}h50v${o}h-50z"/>`,l=n`<path class="file" d="M0 0h50v${g}h-50z"/>`;return n`<svg viewBox="0 0 50 ${g}" preserveAspectRatio="none" aria-hidden="true">${l}${r}</svg>`}function j(e,t,o){let[r,l]=[le(e),le(t)];if(!e.isExact||!t.isExact)return{stayed:o?r:[],moved:[]};let s=l.flatMap(a=>de(r,a)),i=l.flatMap(a=>ke(de(r,a),a));return{stayed:s,moved:o?[]:i}}function ie(e,t,o){let r=z("file",[{start:0,end:e.fileSize}],t,o,g),l=Se.map(s=>{let i=e.runs.filter(a=>a.kind===s).map(ue);return s==="compressed"?z(s,i,t,o+g/2,g/2):z(s,i,t,o,g)});return n`${[r,...l]}`}function z(e,t,o,r,l){let s=a=>Math.round(a/o*ce),i=t.map(({start:a,end:d})=>{let c=s(d)-s(a);return n`M${s(a)} ${r}h${c}v${l}h-${c}z`});return i.length===0?n``:n`<path class="${e}" d="${i}"/>`}function A(e){let o=Object.entries(M).flatMap(([r,l])=>e.bytes[r]>0?[`${l.toLowerCase()} ${se(e.bytes[r])}`]:[]);return`${se(e.fileSize)}, of it ${o.join(", ")}`}function ue({start:e,length:t}){return{start:e,end:e+t}}function le({runs:e}){return e.filter(({kind:t})=>t==="data"||t==="compressed").map(ue)}function de(e,{start:t,end:o}){return e.map(r=>({start:Math.max(r.start,t),end:Math.min(r.end,o)})).filter(r=>r.end>r.start)}function ke(e,{start:t,end:o}){let r=[t,...e.flatMap(s=>[s.start,s.end]),o];return Array.from({length:r.length/2},(s,i)=>({start:r[2*i],end:r[2*i+1]})).filter(s=>s.end>s.start)}var Re={good:"✓",doubtful:"!",bad:"✕",open:"…"};function H(e,t){return n`<span class="status ${e}"><span class="sign" aria-hidden="true"><b>${Re[e]}</b></span>${t}</span>`}var fe=10,W=50;function pe(e,t){let{index:o,dryRun:r}=t,{image:l,report:s,check:i}=e,a=T(e),d=`image-${o}`,c=s&&!C(s,r),u=[c?`${s.sourceFormat} → ${s.targetFormat}, ${r?"as planned":"in place"}`:"",!c&&s?`${s.targetFormat}, as it was`:"",!s&&i?i.format:""].filter(x=>x!==""),m=a===void 0?"":n`now <bdi dir="ltr">${b(a)}</bdi>`,f=L([...u,m].filter(x=>x!==""),n` · `),p=Fe(e,r),v=n`${p?Ne(p):""}${Me(e,r)}`;return n`${[n`<article id="${d}" aria-labelledby="${d}-name">\n<header><h3 id="${d}-name"><bdi dir="ltr">${b(l)}</bdi></h3>`,n`<p>${H(k(e,r),F(e,r))}</p></header>\n`,f.isEmpty?"":n`<p class="what">${f}</p>\n`,Te(e),p?Le(p,e,d,r):"",v.isEmpty?"":n`<div class="below${p?"":" alone"}">\n${v}</div>\n`,Ae(e,t)]}</article>\n`}function Te(e){if(!e.failure)return"";let{message:t,advice:o}=e.failure,r=P(e),l=r.slice(0,W).map(a=>n`<li>${a}</li>`),s=r.length>W?n`<li>${r.length-W} more</li>`:"",i=l.length>0?n`<ul>${l}${s}</ul>`:"";return n`<div class="wrong"><p>${t}</p>${i}${o===""?"":n`<p>${o}</p>`}</div>\n`}function Fe(e,t){let{report:o}=e,r=X(e,t);return r&&{...r,isUnmoved:o?.bytesMoved===0&&o.bytesSettled===0}}function Le(e,{image:t,report:o,check:r},l,s){let{before:i,after:a}=e,d=(p,v,x)=>n`<div class="label"><span><b>${p}</b> ${v}</span><span>${y(x)}</span></div>\n`,[c,u]=[a?"Before":"Now",s?"As planned":"After"],m=o?.sourceFormat??r?.format??"",f=o&&a?n`${d(u,o.targetFormat,a.fileSize)}<figcaption>${Ie(o,s)}</figcaption>`:"";return n`<figure>\n${d(c,m,i.fileSize)}${me(e,l,t)}\n${f}</figure>\n`}function Ie({guestDataBytes:e,bytesMoved:t,bytesWritten:o,bytesSettled:r},l){let[s,i]=l?["would stay where it lies","would be"]:["stayed where it was","were"],a=Math.max(0,e-t);return`${t===0&&r===0?`All ${y(e)} of guest data ${s}`:t===0?`Guest data ${s}, but for what filled holes as the old format's space was given back`:`${y(a)} of guest data ${s}, ${y(t)} moved`}. ${y(o)} ${i} written in all.`}function Ne(e){let{before:t,after:o,isUnmoved:r}=e,l=m=>n`<td class="number">${m===0?"–":y(m)}</td>`,i=Object.keys(M).filter(m=>t.bytes[m]+(o?.bytes[m]??0)>0).map(m=>n`<tr><th scope="row">${E(m)}${M[m]}</th>${l(t.bytes[m])}${o?l(o.bytes[m]):""}</tr>\n`),a=o?j(t,o,r).moved.reduce((m,{start:f,end:p})=>m+p-f,0):0,d=a>0?n`<tr><th scope="row">${E("moved")}Of it moved here</th><td></td>${l(a)}</tr>\n`:"",c=[o?"Before":"Size",...o?["After"]:[]],u=n`<th scope="col">Space in the file</th>${c.map(m=>n`<th scope="col" class="number">${m}</th>`)}`;return n`<table class="legend"><thead><tr>${u}</tr></thead>\n<tbody>\n${i}${d}</tbody></table>\n`}function Me(e,t){let{report:o,check:r,recovery:l,download:s,notes:i}=e,d=[...o?He(o,t):[],...r?Oe(r):[],["Before that",l??""],["From",s?w([b(s.url),b(s.digest)]):""],["Noted",w([...o?.notes??[],...i??[]])]].filter(([,c])=>!I(c)).map(([c,u])=>n`<dt>${c}</dt><dd>${u}</dd>\n`);return d.length===0?"":n`<dl class="facts">\n${d}</dl>\n`}function He(e,t){let{guestChecksum:o,bytesWritten:r,guestDataBytes:l,syncs:s,virtualSize:i}=e,a=o?.before??null,d=_(e),c=o?.after??null,u=o?.covers==="layer"?", without the backing file":"",m=c===a?", the same before and after":"",f=C(e,t)?[]:[["Steps",w(te(e))],["Way back",re(e,t)],["Written",`${t?"at most ":""}${y(r)} in ${t?"about ":""}${S(s,"sync")}`],["A copy would be",y(l)],["File",e.actualSizeBefore===void 0?"":oe(e)],["Extra disk space",`at most ${y(e.peakExtraBytes)}`],["Guest changed",w(Ce(e.guestChanges))],["Left behind",e.dropped.join(", ")],["Leaks given up",d?q(d):""]];return[[n`Guest's disk`,`${y(i)}${ne(e)}`],...f,["Check",V(e)],["Took",R(e)],["Guest checksum",a===null?"":w([b(a),`${o?.algorithm}${u}${m}`])],["Checksum after",c===null||c===a?"":b(c)]]}function Oe(e){let{allocatedClusters:t,totalClusters:o,fragmentedClusters:r,compressedClusters:l,leaksFixed:s,corruptionsFixed:i}=e,a=u=>u.toLocaleString("en-US"),d={corruptions:i,leaks:s,checkErrors:0,warnings:0},c=`${a(t)} of ${a(o)} allocated, ${a(r)} fragmented, ${a(l)} compressed`;return[["Repaired",s+i===0?"":B(d)],["Not repaired",w(e.losses)],["Given up",w(e.givenUp)],["Clusters",t===0||o===0?"":c],["Written",e.changed?`${y(e.bytesWritten)} in ${S(e.syncs,"sync")}`:""],["Took",R(e)],[n`Check's notes`,w(e.notes)]]}function Ae(e,{maxFindings:t}){let o=G(e);if(o.length===0)return"";let r=o.slice(0,t).map(({severity:u,structure:m,hostOffset:f,message:p})=>{let v=n`${m}${f===void 0?"":n` at ${b(ze(f))}`}`;return n`<tr><td>${u}</td><td>${v}</td><td>${p}</td></tr>\n`}),l=n`<thead><tr><th scope="col">Finding</th><th scope="col">Where</th><th scope="col">What</th></tr></thead>`,s=u=>n`<table class="findings">${l}\n<tbody>\n${u}</tbody></table>\n`,i=r.slice(fe),a=o.length-r.length,d=a>0?n`<p class="quiet">${a.toLocaleString("en-US")} more in the JSON report</p>\n`:"",c=i.length>0?n`<details><summary>${S(i.length,"more finding")}</summary>${s(i)}</details>\n`:"";return n`<h4>What the check found, the worst first</h4>\n${s(r.slice(0,fe))}${c}${d}`}import{formatSize as Ee}from"./index.mjs";var he=5e3,je=300,We=e=>[{name:e?"To write":"Written",isNumber:!0,of:(t,o)=>ge(t,o,"bytesWritten")},{name:"Instead of",isNumber:!0,of:(t,o)=>ge(t,o,"guestDataBytes")},{name:"Checksum",of:({report:t})=>t?ee(t):""},{name:"Check",of:({report:t})=>t?Q(t):""},{name:"Took",isNumber:!0,of:({report:t})=>t?R(t):""}],Ue=[{name:"Format",of:({check:e})=>e?.format??""},{name:"Corruptions",isNumber:!0,of:e=>be(e,"corruptions")},{name:"Leaks",isNumber:!0,of:e=>be(e,"leaks")},{name:"Repaired",isNumber:!0,of:({check:e})=>{let t=e?e.corruptionsFixed+e.leaksFixed:0;return t>0?t.toLocaleString("en-US"):""}},{name:"Took",isNumber:!0,of:({check:e})=>e?R(e):""}];function $e(e,t){let o=e.results.map((a,d)=>({result:a,index:d})),r=o.filter(({result:a})=>O(a,e)),l=o.filter(({result:a})=>!O(a,e)),s=(a,d,c)=>{if(a.length===0)return"";let u=d.filter(h=>a.some(({result:$})=>!I(h.of($,e.dryRun)))),m=u.map(({name:h,isNumber:$})=>n`<th scope="col"${ye($)}>${h}</th>`),f=a.slice(0,he).map(({result:h,index:$})=>{let xe=u.map(U=>Ke(U,U.of(h,e.dryRun)));return Be(h,$,xe,e.dryRun,t(h))}),p=a.length-he,v=p>0?n`<p class="quiet">${S(p,"more image")} in the JSON report</p>\n`:"",x=n`<tr><th scope="col">Image</th><th scope="col">Result</th>${m}</tr>`;return n`<table class="overview"><caption>${c}</caption><thead>${x}</thead>\n<tbody>\n${f}</tbody></table>\n${v}`},i=`${e.dryRun?"what would be":"what was"} written, and what a copy would be`;return n`${[s(l,We(e.dryRun),`${S(l.length,"image")}: ${i}`),s(r,Ue,`${S(r.length,"image")} checked, counts in clusters`)]}`}function we({matrix:e}){if(!e||e.include.length===0)return"";let t=e.include.map(({shard:l,images:s})=>{let i=s.split(`
`),a=w(i.slice(0,3).map(b)),d=i.length>3?n`<br><span class="quiet">and ${i.length-3} more</span>`:"";return n`<tr><td>${l}</td><td class="number">${i.length}</td><td>${a}${d}</td></tr>\n`}),o=`${S(t.length,"job")} of the matrix`,r=n`<tr><th scope="col">Job</th><th scope="col" class="number">Images</th><th scope="col">Which</th></tr>`;return n`<h2>Jobs</h2>\n<table class="jobs"><caption>${o}</caption><thead>${r}</thead>\n<tbody>\n${t}</tbody></table>\n`}function Be(e,t,o,r,l){let{image:s,failure:i}=e,a=T(e),d=n`<bdi dir="ltr">${b(s)}</bdi>`,c=a===void 0?"":n`<span class="now">now <bdi dir="ltr">${b(a)}</bdi></span>`,u=i&&!l?n`<span class="now">${D(i.message,je," …")}</span>`:"",m=n`<td>${l?n`<a href="#image-${t}">${d}</a>`:d}${c}${u}</td>`,f=H(k(e,r),F(e,r));return n`<tr>${m}<td data-name="Result">${f}</td>${o}</tr>\n`}function Ke({name:e,isNumber:t},o){return n`<td${ye(t)} data-name="${e}">${o}</td>`}function ye(e=!1){return e?n` class="number"`:""}function ge({report:e},t,o){return e&&!C(e,t)?Ee(e[o]):""}function be(e,t){return K(e)?.[t].toLocaleString("en-US")??""}var ve=n`
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
`;var Pe=100,De=["bad","doubtful","good"],_e={convert:"In-place conversion",check:"Consistency check",plan:"Plan of a conversion",collect:"Reports of all jobs"};function It(e){let{results:t,dryRun:o,mode:r}=e,l=J(e),s=t.map((h,$)=>({result:h,index:$})),a=De.flatMap(h=>s.filter(({result:$})=>k($,o)===h)).slice(0,Pe),d=new Set(a.map(({result:h})=>h)),c=t.length<=3?200:t.length<=20?50:10,u=a.map(({result:h,index:$})=>pe(h,{index:$,dryRun:o,maxFindings:c})),m=t.length>1?n`<h2>Images</h2>\n${$e(e,h=>d.has(h))}`:"",f=t.length>1&&u.length>0?n`<h2>One by one</h2>\n`:"",p=t.length-a.length,v=p>0?n`<p class="quiet">The other ${p.toLocaleString("en-US")} are in the table above alone.</p>\n`:"",x=n`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${l}</title>
<style>${ve}</style>
</head>
<body>
<header class="page">
<p class="eyebrow">${_e[r]}</p>
<h1>${Je(l)}</h1>
${Xe(e)}${Ye(e)}</header>
<main>
${we(e)}${m}${f}${t.length===1?n`<h2>The image</h2>\n`:""}${u}${v}</main>
<footer><p>${qe(e)}. Pictures are to scale; header and tables are widened to a line where they would be less.</p></footer>
</body>
</html>
`;return String(x)}function qe({provenance:e}){let{tool:t,toolVersion:o,time:r,repository:l,commit:s,runId:i,runAttempt:a}=e,d=[...i?[`in run ${i}${a&&a!=="1"?`, attempt ${a}`:""}`]:[],...l?[`of ${l}`]:[],...s?[`at commit ${s.slice(0,12)}`]:[]];return[`Made by ${t} ${o} on ${r.slice(0,16).replace("T"," at ")} UTC`,...d].join(" ")}function Je(e){return L(ae(e).split(/(?<=\d) /),n`&nbsp;`)}function Xe(e){let t=e.dryRun?"Nothing was written":Z(e);return t===""?"":n`<p class="lede">${t}.</p>\n`}function Ye(e){let{count:t,written:o,copied:r,moved:l,extra:s}=Y(e);if(t===0)return"";let a=[[e.dryRun?"To write at most":"Written",o],["A copy would write",r],["Guest data moved",l],[t===1?"Extra disk at most":"Extra disk an image at most",s]].map(([d,c])=>n`<div><dt>${d}</dt><dd>${Ge(c)}</dd></div>`);return n`<dl class="totals">${a}</dl>\n`}export{Pe as MAX_SECTIONS,It as pageOf};
