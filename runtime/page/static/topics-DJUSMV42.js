import{a,b}from"./chunk-BD3S7OMM.js";import"./chunk-Q2JEK2HY.js";import"./chunk-NC7ELCPR.js";import"./chunk-3WAH5IQT.js";export{a as Body,b as default};
