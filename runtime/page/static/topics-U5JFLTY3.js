import{a,b}from"./chunk-U7OSUT7P.js";import"./chunk-5LSUX4QN.js";import"./chunk-T6AVYEN4.js";import"./chunk-RJGJRTDJ.js";export{a as Body,b as default};
