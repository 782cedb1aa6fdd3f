// Package postgres runs a real PostgreSQL of our own: on 127.0.0.1, with its data
// in a private folder, with one database and a user that owns it. The user is no
// superuser; passwords are drawn for each folder. It takes the binaries of the
// system, or fetches a bundle into a cache (fergusstrange/embedded-postgres). A
// user who has a server already gives its address instead and does not need
// this package.
//
// PostgreSQL refuses to run as root. The server is therefore set up and started
// by a child process, which is this same program under the account postgres or
// nobody where we are root. That account cannot reach below a home folder that
// only root may enter: the data then go to a folder of their own elsewhere, and
// the file "location" in the asked-for folder says where.
//
// The server is a daemon. When our process is killed it goes on; the next Start
// on the folder takes it over, or stops it where it listens on another port than
// is wanted.
package postgres
