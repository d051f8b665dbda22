import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{g as a,h as b}from"./chunk-D3UHQT7Y.mjs";import"./chunk-WFEW45W7.mjs";import"./chunk-4TF5M3QL.mjs";import"./chunk-LCWAVF6U.mjs";export{a as Downloads,b as shownLine};
