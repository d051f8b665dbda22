import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{c as a,d as b}from"./chunk-SN6JRSY5.mjs";import"./chunk-K5VBYUW5.mjs";import"./chunk-LCWAVF6U.mjs";export{a as Downloads,b as shownLine};
