import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{h as a,i as b}from"./chunk-C646E46Y.mjs";import"./chunk-JCHU43YS.mjs";import"./chunk-DXIBYB74.mjs";import"./chunk-LCWAVF6U.mjs";export{a as Downloads,b as shownLine};
