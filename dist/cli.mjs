#!/usr/bin/env node
var package_default={version:"1.0.0"};var oldest=20,words=process.argv.slice(2);Number.parseInt(process.versions.node,10)<oldest?(process.stderr.write(`inplace-convert needs Node ${oldest} or newer; this is Node ${process.versions.node}
`),process.exitCode=1):(words.length!==1||!["-V","--version"].includes(words[0])||!toldVersion())&&import("./cli-main.mjs").catch(error=>{let trace=process.argv.includes("--debug")?`
${error.stack}`:"";process.stderr.write(`inplace-convert: Cannot start: ${error.message}; install it anew${trace}
`),process.exitCode=1});function toldVersion(){try{let text=`inplace-convert ${package_default.version}
`;return process.getBuiltinModule("node:fs").writeSync(1,text)===text.length}catch{return!1}}
