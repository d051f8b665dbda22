import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{g as a,h as b}from"./chunk-VRP6FVQ5.mjs";import"./chunk-6ILTWXYU.mjs";import"./chunk-X4XOER7P.mjs";import"./chunk-LCWAVF6U.mjs";export{a as Downloads,b as shownLine};
