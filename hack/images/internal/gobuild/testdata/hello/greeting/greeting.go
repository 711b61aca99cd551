// Package greeting is part of a program that tests compile.
package greeting

// Text is what the program prints.
const Text = "hello"
