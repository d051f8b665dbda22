import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{g as a,h as b}from"./chunk-HIQGXX7C.mjs";import"./chunk-HYKFNQ6W.mjs";import"./chunk-MBYMTMLV.mjs";import"./chunk-LCWAVF6U.mjs";export{a as Downloads,b as shownLine};
