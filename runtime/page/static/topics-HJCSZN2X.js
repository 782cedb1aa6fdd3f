import{a,b}from"./chunk-JPIDPGLJ.js";import"./chunk-H2NHGWWA.js";import"./chunk-TIS5LVGQ.js";import"./chunk-O63DIC7Y.js";export{a as Body,b as default};
