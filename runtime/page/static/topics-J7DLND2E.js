import{a,b}from"./chunk-MAYY6QMY.js";import"./chunk-ZUWIZM5G.js";import"./chunk-XKPFWMW4.js";import"./chunk-KC63FRND.js";export{a as Body,b as default};
