# Prints the targets of a Makefile: "##@ Heading" starts a group, and a target
# is listed with the text after its "##".
BEGIN { print "make <target>" }
/^##@ / { printf "\n%s\n", substr($0, 5) }
/^[a-z-]+:.*## / {
	target = $0; sub(/:.*/, "", target)
	text = $0; sub(/^.*## /, "", text)
	printf "  %-15s %s\n", target, text
}
