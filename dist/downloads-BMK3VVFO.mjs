import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{g as a,h as b}from"./chunk-RE7J56VR.mjs";import"./chunk-HYKFNQ6W.mjs";import"./chunk-4TF5M3QL.mjs";import"./chunk-LCWAVF6U.mjs";export{a as Downloads,b as shownLine};
