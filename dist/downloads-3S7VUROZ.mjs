import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{c as a,d as b}from"./chunk-NTPT2SFH.mjs";import"./chunk-PFTA5MKH.mjs";import"./chunk-LCWAVF6U.mjs";export{a as Downloads,b as shownLine};
