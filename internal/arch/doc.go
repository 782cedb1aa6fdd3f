// Package arch holds the rules about which package may import which. They keep
// the contract small, the plugins interchangeable and each outside client in
// one place. Its test reads the imports of the project's files.
package arch
