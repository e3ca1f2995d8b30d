// Package storetest holds every store to the contracts of package authserver.
// A suite takes a function that opens a store; it is called once for each case.
// The store may be shared and need not be empty, unless the suite says so:
// cases make subjects and ids of their own.
package storetest
