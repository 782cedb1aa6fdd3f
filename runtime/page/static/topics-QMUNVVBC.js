import{a,b}from"./chunk-DCWGSL2U.js";import"./chunk-ZUWIZM5G.js";import"./chunk-WQXL44YA.js";import"./chunk-KC63FRND.js";export{a as Body,b as default};
