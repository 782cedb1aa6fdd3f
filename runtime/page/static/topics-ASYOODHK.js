import{a,b}from"./chunk-JQKCCZHO.js";import"./chunk-N7GHXRDC.js";import"./chunk-G4QIWA5R.js";import"./chunk-YTWRGNX2.js";export{a as Body,b as default};
