import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);
import{g as a,h as b,i as c,j as d,k as e,l as f,m as g}from"./chunk-JCHU43YS.mjs";import"./chunk-LCWAVF6U.mjs";export{c as CachedDownload,b as DownloadCache,d as KeptDownload,a as MAX_CACHED_BYTES,e as cacheKey,g as discardPending,f as savePending};
