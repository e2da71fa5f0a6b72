//go:build debian

package main

// Debian has gorilla's library only.
func coderOffers() []offer { return nil }
