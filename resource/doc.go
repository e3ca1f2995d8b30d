// Package resource protects an API with access tokens of a Tokenwright server.
package resource
