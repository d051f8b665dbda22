#!/usr/bin/env node
Number.parseInt(process.versions.node,10)<20?(process.stderr.write(`inplace-convert needs Node 20 or newer; this is Node ${process.versions.node}
`),process.exitCode=1):import("./cli-main.mjs").catch(error=>{let trace=process.argv.includes("--debug")?`
${error.stack}`:"";process.stderr.write(`inplace-convert: Cannot start: ${error.message}; install it anew${trace}
`),process.exitCode=1});
