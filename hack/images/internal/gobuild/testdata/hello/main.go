// Command hello is compiled by tests.
package main

import (
	"fmt"

	"example.com/hello/greeting"
)

func main() { fmt.Println(greeting.Text) }
