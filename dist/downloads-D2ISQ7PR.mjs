import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{g as a,h as b}from"./chunk-OEYNUEJI.mjs";import"./chunk-5VR7H5BO.mjs";import"./chunk-DXIBYB74.mjs";import"./chunk-LCWAVF6U.mjs";export{a as Downloads,b as shownLine};
