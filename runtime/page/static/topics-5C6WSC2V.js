import{a,b}from"./chunk-IHDUGBEF.js";import"./chunk-SPSPZHCV.js";import"./chunk-6KORHJ6O.js";import"./chunk-DXGHGJI6.js";export{a as Body,b as default};
