// Package arch holds what the packages of the module owe each other and those
// who build on it. imports.txt says which package may import which, and where
// each outside module is at home: it keeps the contract small, the plugins
// interchangeable, every client in one place and arrows pointing down. api.txt
// lists what is promised to outsiders. The tests read the project's files.
package arch
