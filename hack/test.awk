# Shortens the output of "go test -v" to one line per package. What a package
# printed is shown only when it failed, or with SHOW=1; what belongs to none is
# shown at once. Where no test ran at all it fails, as nothing was shown.

function count(n, noun) { return n + 0 " " noun (n == 1 ? "" : "s") }

function forget() { held = ""; passed = skipped = failed = 0 }

function summary(   text) {
	text = count(passed + failed, "test")
	if (skipped) text = text ", " skipped " skipped"
	return text
}

/^=== (RUN|PAUSE|CONT|NAME)/ { next }
/^ *--- PASS: / { passed++; all++; next }
/^ *--- SKIP: / { skipped++; allskipped++ }
/^ *--- FAIL: / { failed++; all++ }
/^(PASS|FAIL|exit status [0-9]+)$/ { next }
/^\?? *\t.*\[no test files\]$/ { next }
/^\t.*coverage: / { next }

/^ok  \t/ {
	if (ENVIRON["SHOW"]) printf "%s", held
	printf "test: ok    %-45s %s in %s\n", short($2), summary(), $3
	packages++
	forget()
	next
}
/^FAIL\t/ {
	printf "%s", held
	printf "test: FAIL  %-45s %s failed of %s\n", short($2), failed + 0, summary() (/build failed/ ? ": it does not compile" : "")
	broken++
	forget()
	next
}
{ held = held $0 "\n" }

function short(package) { sub(/^github\.com\/ess-operator\/ess-operator\//, "", package); return package }

END {
	printf "%s", held # compiler errors, and whatever else belongs to no package
	if (!all && !allskipped && !broken) {
		print "test: no test ran: see whether PKG and ARGS name any"
		exit 1
	}
	printf "test: %s in %s", count(all, "test"), count(packages + broken, "package")
	if (allskipped) printf ", %d skipped", allskipped
	print (broken ? "; " count(broken, "package") " failed" : "; all passed")
}
