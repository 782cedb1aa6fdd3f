import{a,b}from"./chunk-QXXXLEDE.js";import"./chunk-I5CR5ZK2.js";import"./chunk-JYP37YC5.js";import"./chunk-F5FDXDI2.js";export{a as Body,b as default};
