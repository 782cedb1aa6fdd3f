import{a,b}from"./chunk-QWC5OZTQ.js";import"./chunk-RLQTH5G3.js";import"./chunk-G7QREF7I.js";import"./chunk-FBN3PWOB.js";export{a as Body,b as default};
