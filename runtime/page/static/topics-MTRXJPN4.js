import{a,b}from"./chunk-6BUX247N.js";import"./chunk-3RP2ZTQW.js";import"./chunk-4GLLRU2H.js";import"./chunk-SS7WBGLS.js";export{a as Body,b as Topics};
