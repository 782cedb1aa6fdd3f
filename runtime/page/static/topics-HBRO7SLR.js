import{a,b,c}from"./chunk-YCS6I7UP.js";import"./chunk-P35VVF5L.js";import"./chunk-DUMNZZMO.js";import"./chunk-2N4SBV4L.js";export{b as Body,a as Failed,c as Topics};
